//! A task that waits, as one does that calls a slow service.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::task::{InvalidParameter, Task, TaskContext, TaskError, TaskOutput};

/// The longest sleep, in milliseconds: as long as a Lambda function may run.
const LONGEST: u64 = 900_000;

/// How often progress is reported.
const STEP: Duration = Duration::from_millis(250);

/// Waits for `millis` milliseconds, within one invocation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sleep {
    /// How long, in milliseconds; up to 900,000.
    pub millis: u64,
}

impl Task for Sleep {
    const KIND: &'static str = "sleep";

    fn validate(&self) -> Result<(), InvalidParameter> {
        InvalidParameter::unless_within("millis", self.millis, 0, LONGEST)
    }

    async fn run(&self, context: &TaskContext) -> Result<TaskOutput, TaskError> {
        let whole = Duration::from_millis(self.millis);
        let started = tokio::time::Instant::now();
        while started.elapsed() < whole {
            context.report_progress(started.elapsed().as_secs_f64() / whole.as_secs_f64());
            tokio::time::sleep(STEP.min(whole.saturating_sub(started.elapsed()))).await;
        }
        TaskOutput::result(&json!({ "slept_millis": self.millis }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TaskId;

    #[tokio::test(start_paused = true)]
    async fn sleeps_for_as_long_as_asked_and_reports_progress() {
        let started = tokio::time::Instant::now();
        let context = TaskContext::new(TaskId::random(), started + Duration::from_secs(60));
        Sleep { millis: 45_000 }.run(&context).await.unwrap();
        assert_eq!(started.elapsed().as_millis(), 45_000);
        assert!(context.progress() > 0.9);
    }
}
