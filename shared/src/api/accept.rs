//! Accepting a task: a record and a hand-over that cannot disagree for good.
//!
//! First the record, then the hand-over; if that fails, the record is taken back. A request with an idempotency key
//! may come again at any point in between, from a client that saw no answer. Its record therefore says whether the
//! hand-over is known to have succeeded: if not, and the first request cannot still be at it, the repetition hands
//! the task over itself, although a worker may have begun it: that may be the first request, which ran it within itself, and
//! nobody would deliver it if that dies. A second hand-over does no harm, because only one worker can claim the task.

use std::time::Duration;

use lambda_runtime::Context;

use super::{Api, Problem, request::Wanted};
use crate::{
    Record, Status, TaskMessage, Timestamp,
    store::{IdempotencyKey, Inserted},
};

/// How long a request may be at it: between its record and its hand-over no longer than the clients' own timeouts in
/// [`crate::aws`]; while it runs the task within itself, until this is over, a little after API Gateway has given it up
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const REQUEST: Duration = Duration::from_secs(35);

impl Api {
    /// Accepts the task for later. Answers its record.
    pub(super) async fn accept(&self, wanted: Wanted, invocation: &Context) -> Result<Record, Problem> {
        let (record, key) = wanted.into_record();
        let inserted = self.worker.store.insert(&record, key.as_ref()).await;
        match inserted.map_err(Problem::not_accepted)? {
            Inserted::New => {
                let record = self.hand_over(record, key.as_ref(), invocation).await?;
                self.worker.metrics.accepted(&record, invocation);
                Ok(record)
            }
            Inserted::Before(record) => self.repeat(*record, invocation).await,
            Inserted::OtherRequest => Err(Problem::key_of_another_request()),
        }
    }

    /// Runs the task within the request. Answers its last record.
    pub(super) async fn run_within(&self, wanted: Wanted, invocation: &Context) -> Result<Record, Problem> {
        let (record, key) = wanted.into_record();
        let inserted = self.worker.store.insert(&record, key.as_ref()).await;
        match inserted.map_err(Problem::not_accepted)? {
            Inserted::New => {
                self.worker.metrics.accepted(&record, invocation);
                let invocation = &within_request(invocation);
                let message = TaskMessage::of(&record);
                let ran = self.worker.run_within_request(&message, invocation).await;
                let ended = ran.map_err(Problem::end_not_known)?;
                ended.ok_or_else(|| Problem::no_such_task(record.id.as_str()))
            }
            Inserted::Before(record) => self.repeat(*record, invocation).await,
            Inserted::OtherRequest => Err(Problem::key_of_another_request()),
        }
    }

    async fn hand_over(
        &self,
        record: Record,
        key: Option<&IdempotencyKey>,
        invocation: &Context,
    ) -> Result<Record, Problem> {
        let worker = &self.worker;
        let Err(error) = worker.send(&record, invocation).await else {
            // Without a key the request cannot be repeated, so nobody will ask whether it got so far.
            return match key {
                Some(_) => worker.mark_handed_over(record).await.ok_or_else(taken_back),
                None => Ok(record),
            };
        };
        let problem = Problem::not_accepted(error);
        let removed = worker.store.remove(&record, key).await;
        if removed.map_err(Problem::not_accepted)? {
            return Err(problem);
        }
        // Somebody changed the record in the meantime. If a worker claimed it, the hand-over succeeded after all.
        let newer = worker.store.get(&record.id).await;
        match newer.map_err(Problem::not_accepted)? {
            Some(newer) if newer.status != Status::Queued => Ok(newer),
            _ => Err(problem),
        }
    }

    /// The request came before, and left this record. If it is not known that somebody will deliver the task, it is handed
    /// over now. Should that fail, it stays for the next repetition.
    async fn repeat(&self, record: Record, invocation: &Context) -> Result<Record, Problem> {
        if record.handed_over || record.status.is_final() {
            return Ok(record);
        }
        if Timestamp::now() - record.accepted_at < REQUEST {
            return Err(Problem::first_request_in_progress());
        }
        let handed_over = self.worker.hand_over(record, invocation).await;
        handed_over.map_err(Problem::not_accepted)?.ok_or_else(taken_back)
    }
}

/// The same invocation, but no longer than a request may take. A function that runs tasks as well has more time, in which the
/// task would be at work for a client that does not know its id.
fn within_request(invocation: &Context) -> Context {
    let end = (Timestamp::now() + REQUEST).epoch_milliseconds();
    let mut invocation = invocation.clone();
    invocation.deadline = invocation.deadline.min(end);
    invocation
}

/// The first request was slow: its hand-over failed after all, and it took the record back, from under the hand-over that was
/// made here. What that delivers finds nothing.
#[derive(Debug, thiserror::Error)]
#[error("another request with the same Idempotency-Key has taken the record back")]
struct TakenBack;

fn taken_back() -> Problem {
    Problem::not_accepted(TakenBack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_ends_soon_even_where_its_invocation_may_take_long() {
        let mut invocation = Context::default();
        let now = Timestamp::now().epoch_milliseconds();
        for (left, expected) in [(900_000, 35_000), (10_000, 10_000)] {
            invocation.deadline = now + left;
            let left = within_request(&invocation).deadline - now;
            assert!((expected..expected + 1_000).contains(&left), "{left}");
        }
    }
}
