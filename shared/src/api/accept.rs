//! Accepting a task: a record and a hand-over that cannot disagree for good.
//!
//! First the record, then the hand-over; if that fails, the record is taken back. A request with an idempotency key
//! may come again at any point in between, from a client that saw no answer. Its record therefore says whether the
//! hand-over is known to have succeeded: if not, and the first request cannot still be at it, the repetition hands
//! the task over itself. A second hand-over does no harm, because only one worker can claim the task.

use std::time::Duration;

use lambda_runtime::Context;
use tracing::warn;

use super::{Api, Problem, request::Wanted};
use crate::{
    Dispatch, Record, Status, Store, TaskMessage, Timestamp,
    store::{IdempotencyKey, Inserted, Replaced},
};

/// How long a request may take between its record and its hand-over; the clients' own timeouts in [`crate::aws`] are
/// shorter. After it, a record that was not handed over is nobody's.
const HAND_OVER_TIME: Duration = Duration::from_secs(30);

impl<S: Store + Clone, D: Dispatch> Api<S, D> {
    /// Accepts the task for later. Answers its record.
    pub(super) async fn accept(&self, wanted: Wanted, invocation: &Context) -> Result<Record, Problem> {
        let key = wanted.key.as_ref();
        let record = Record::accept(&wanted.kind, wanted.parameters, Timestamp::now());
        match self.store.insert(&record, key).await? {
            Inserted::New => self.hand_over(record, key, invocation).await,
            Inserted::Before(record) => self.repeat(*record, key, invocation).await,
            Inserted::OtherRequest => Err(Problem::key_of_another_request()),
        }
    }

    /// Runs the task within the request. Answers its last record.
    pub(super) async fn run_within(&self, wanted: Wanted, invocation: &Context) -> Result<Record, Problem> {
        let record = Record::accept(&wanted.kind, wanted.parameters, Timestamp::now());
        match self.store.insert(&record, wanted.key.as_ref()).await? {
            Inserted::New => {
                let ended = self
                    .worker
                    .run(&record.id, invocation)
                    .await
                    .map_err(Problem::unavailable)?;
                ended.ok_or_else(|| Problem::no_such_task(record.id.as_str()))
            }
            Inserted::Before(record) => Ok(*record),
            Inserted::OtherRequest => Err(Problem::key_of_another_request()),
        }
    }

    async fn hand_over(
        &self,
        record: Record,
        key: Option<&IdempotencyKey>,
        invocation: &Context,
    ) -> Result<Record, Problem> {
        let message = TaskMessage::new(record.id.clone());
        let Err(error) = self.dispatch.dispatch(&message, invocation).await else {
            return self.mark_handed_over(record, key).await;
        };
        let problem = Problem::unavailable(error);
        if self.store.remove(&record, key).await? {
            return Err(problem);
        }
        // Somebody changed the record in the meantime. If a worker claimed it, the hand-over succeeded after all.
        match self.store.get(&record.id).await? {
            Some(newer) if newer.status != Status::Queued => Ok(newer),
            _ => Err(problem),
        }
    }

    /// Only a request with a key can be repeated, so only its record has to tell. That the record was changed first
    /// tells as much.
    async fn mark_handed_over(
        &self,
        record: Record,
        key: Option<&IdempotencyKey>,
    ) -> Result<Record, Problem> {
        if key.is_none() {
            return Ok(record);
        }
        let marked = record.after_hand_over();
        match self.store.replace(&marked).await {
            Ok(Replaced::Done) => Ok(marked),
            Ok(Replaced::Conflict(newer)) => Ok(newer.map_or(record, |newer| *newer)),
            // The task will run; all that is lost is that a repetition may hand it over once more.
            Err(error) => {
                warn!(task_id = %record.id, %error, "the hand-over could not be marked");
                Ok(record)
            }
        }
    }

    async fn repeat(
        &self,
        record: Record,
        key: Option<&IdempotencyKey>,
        invocation: &Context,
    ) -> Result<Record, Problem> {
        let now = Timestamp::now();
        if record.handed_over || record.status.is_final() || record.is_leased(now) {
            return Ok(record);
        }
        if now - record.accepted_at < HAND_OVER_TIME {
            return Err(Problem::first_request_in_progress());
        }
        self.hand_over(record, key, invocation).await
    }
}
