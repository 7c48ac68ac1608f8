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
    Record, Timestamp,
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

impl Worker {
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
            let renewed = async {
                sleep(renewal).await;
                self.renew(&record, context.progress()).await
            };
            // Neither the end nor the deadline waits for a store that is slow. A renewal that is dropped on its way may
            // still be written: it is of this attempt, so the end is recorded over it.
            let renewed = tokio::select! {
                Some(ended) = running.join_next() => return Some((record, outcome_of(ended, &context))),
                () = sleep_until(deadline) => return Some((record, out_of_time(started.elapsed()))),
                renewed = renewed => renewed?,
            };
            record = renewed;
            if record.cancel_requested {
                return Some((record, Outcome::Cancelled));
            }
        }
    }

    /// Renews the lease. Answers the newest record, or nothing where the lease was lost. A store that does not answer
    /// is no reason to stop: if it stays away, the lease lapses.
    async fn renew(&self, record: &Record, progress: f64) -> Option<Record> {
        let renewed = record.renewed(progress, Timestamp::now());
        match self.store.replace(&renewed).await {
            Ok(Replaced::Done) => Some(renewed),
            Ok(Replaced::Conflict(Some(newer))) if record.is_same_attempt(&newer) => Some(*newer),
            Ok(Replaced::Conflict(_)) => None,
            Err(error) => {
                warn!(task_id = %record.id, error = chain(&error), "the lease could not be renewed");
                Some(record.clone())
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
        Err(error) => Err(format!("the task panicked: {}", said(error))),
    };
    outcome.unwrap_or_else(|message| Outcome::Failed(Failure::of_task(message)))
}

/// What it said when it panicked.
fn said(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "it was stopped".to_owned();
    };
    let text = panic.downcast::<String>().map(|text| *text);
    text.or_else(|panic| panic.downcast::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|_| "it did not say why".to_owned())
}

/// What is kept has to be read again, by whoever asks for it and by who goes on with it.
fn bounded(what: &str, value: &Value, largest: usize) -> Result<(), String> {
    let text = value.to_string();
    let size = text.len();
    if size > largest {
        return Err(format!(
            "the {what} has {size} bytes of JSON; at most {largest} are kept"
        ));
    }
    // Written, JSON may be nested as deep as one likes; read, it may not.
    match serde_json::from_str::<Value>(&text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("the {what} cannot be kept: {error}")),
    }
}

fn out_of_time(elapsed: Duration) -> Outcome {
    let message = format!(
        "stopped after {:.1} s, because its time was nearly up",
        elapsed.as_secs_f64()
    );
    Outcome::Failed(Failure::new(FailureCode::DeadlineExceeded, message))
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

    #[tokio::test]
    async fn what_is_nested_too_deep_to_be_read_again_is_refused() {
        let nested = |depth| (0..depth).fold(Value::Null, |inner, _| Value::from(vec![inner]));
        assert_eq!(
            outcome(TaskOutput::Result(nested(100))),
            Outcome::Succeeded(nested(100))
        );
        let message = refusal(TaskOutput::Result(nested(200)));
        assert!(
            message.starts_with("the result cannot be kept: recursion limit"),
            "{message}"
        );
        assert!(refusal(TaskOutput::ToBeContinued(nested(200))).starts_with("the checkpoint cannot"));
    }

    #[tokio::test]
    async fn a_panic_is_told_in_its_own_words() {
        let context = TaskContext::new(TaskId::random(), Instant::now());
        for panics in [(|| panic!("no more")) as fn() -> _, || panic!("no {}", "more")] {
            let ended = tokio::spawn(async move { panics() }).await;
            let Outcome::Failed(failure) = outcome_of(ended, &context) else {
                panic!("it did not fail")
            };
            assert_eq!(failure.message, "the task panicked: no more");
        }
    }

    #[test]
    fn what_is_no_json_is_an_error_of_the_task() {
        let no_json = BTreeMap::from([([1], 2)]);
        assert!(TaskOutput::result(&no_json).is_err());
    }
}
