//! One attempt at a task: the work, the renewal of its lease beside it, and the bounds of what may come out of it.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep, sleep_until},
};
use tracing::warn;

use super::Worker;
use crate::{
    Dispatch, Record, Store, Timestamp,
    logging::chain,
    record::{Failure, FailureCode, Outcome},
    store::Replaced,
    task::{AnyTask, TaskContext, TaskError, TaskOutput},
};

/// The interval between two renewals of the lease. It grows with the age of the attempt, so that short tasks show
/// progress soon and long ones cost few writes.
pub(super) const RENEWAL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// The largest result of a task, in bytes of JSON. It is kept in the record, of which DynamoDB allows 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>); work with more to tell puts
/// it into S3 and answers with its place, so that neither each look at the record nor the 6 MB of a response have to
/// carry it.
const LARGEST_RESULT: usize = 256 * 1024;

/// The largest checkpoint, in bytes of JSON. Each renewal of the lease writes it once more.
const LARGEST_CHECKPOINT: usize = 32 * 1024;

impl<S: Store, D: Dispatch> Worker<S, D> {
    /// Runs the task while renewing its lease. Answers the newest record and what the attempt came to, or nothing
    /// where the lease was lost.
    pub(super) async fn attempt(
        &self,
        mut record: Record,
        task: AnyTask,
        deadline: Instant,
    ) -> Option<(Record, Outcome)> {
        let context = Arc::new(context(&record, deadline));
        let started = Instant::now();
        // A set, because it stops what it holds when it is dropped.
        let mut running = JoinSet::new();
        running.spawn({
            let context = Arc::clone(&context);
            async move { task.run(&context).await }
        });
        loop {
            let renewal = (started.elapsed() / 2).clamp(RENEWAL.0, RENEWAL.1);
            tokio::select! {
                Some(ended) = running.join_next() => return Some((record, outcome_of(ended, &context))),
                () = sleep_until(deadline) => return Some((record, out_of_time(started.elapsed()))),
                () = sleep(renewal) => {}
            }
            record = self.renew(record, context.progress()).await?;
            if record.cancel_requested {
                return Some((record, Outcome::Cancelled));
            }
        }
    }

    /// Renews the lease. Answers the newest record, or nothing where the lease was lost. A store that does not answer
    /// is no reason to stop: if it stays away, the lease lapses.
    async fn renew(&self, record: Record, progress: f64) -> Option<Record> {
        let renewed = record.renewed(progress, Timestamp::now());
        match self.store.replace(&renewed).await {
            Ok(Replaced::Done) => Some(renewed),
            Ok(Replaced::Conflict(Some(newer))) if record.is_same_attempt(&newer) => Some(*newer),
            Ok(Replaced::Conflict(_)) => {
                warn!(task_id = %record.id, "another worker took the task over: this attempt is abandoned");
                None
            }
            Err(error) => {
                warn!(task_id = %record.id, error = chain(&error), "the lease could not be renewed");
                Some(record)
            }
        }
    }
}

fn context(record: &Record, deadline: Instant) -> TaskContext {
    let context = TaskContext::new(record.id.clone(), deadline);
    match &record.checkpoint {
        Some(checkpoint) => context.continued(checkpoint.clone(), record.progress),
        None => context,
    }
}

fn outcome_of(ended: Result<Result<TaskOutput, TaskError>, JoinError>, context: &TaskContext) -> Outcome {
    let outcome = match ended {
        Ok(Ok(TaskOutput::Result(result))) => {
            bounded("result", &result, LARGEST_RESULT).map(|()| Outcome::Succeeded(result))
        }
        Ok(Ok(TaskOutput::ToBeContinued(checkpoint))) => {
            let progress = context.progress();
            bounded("checkpoint", &checkpoint, LARGEST_CHECKPOINT)
                .map(|()| Outcome::ToBeContinued { checkpoint, progress })
        }
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(format!("the task panicked: {error}")),
    };
    outcome.unwrap_or_else(|message| Outcome::Failed(Failure::of_task(message)))
}

fn bounded(what: &str, value: &Value, largest: usize) -> Result<(), String> {
    let size = value.to_string().len();
    if size <= largest {
        return Ok(());
    }
    Err(format!(
        "the {what} has {size} bytes of JSON; at most {largest} are kept"
    ))
}

fn out_of_time(elapsed: Duration) -> Outcome {
    Outcome::Failed(Failure {
        code: FailureCode::DeadlineExceeded,
        message: format!(
            "stopped after {:.1} s, because the time of its function was nearly up",
            elapsed.as_secs_f64()
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::TaskId;

    fn outcome(output: TaskOutput) -> Outcome {
        let context = TaskContext::new(TaskId::random(), Instant::now());
        outcome_of(Ok(Ok(output)), &context)
    }

    fn refusal(output: TaskOutput) -> String {
        match outcome(output) {
            Outcome::Failed(failure) => failure.message,
            outcome => panic!("{outcome:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_too_large_to_keep_is_refused_with_its_size() {
        let fits = Value::from("x".repeat(LARGEST_RESULT - 2));
        assert_eq!(
            outcome(TaskOutput::Result(fits.clone())),
            Outcome::Succeeded(fits)
        );
        let large = Value::from("x".repeat(LARGEST_RESULT - 1));
        let message = refusal(TaskOutput::Result(large));
        assert!(message.contains("the result has 262145 bytes"), "{message}");
        let large = Value::from("x".repeat(LARGEST_CHECKPOINT));
        assert!(refusal(TaskOutput::ToBeContinued(large)).contains("the checkpoint has"));
    }

    #[test]
    fn what_is_no_json_is_an_error_of_the_task() {
        let no_json = BTreeMap::from([([1], 2)]);
        assert!(TaskOutput::result(&no_json).is_err());
    }
}
