//! The worker half: claims a task that was delivered, runs it, and records how it ended.
//!
//! Deliveries come at least once. Each step is a conditional write of the record, so that a task ends once; a lease that is
//! renewed while the task runs makes a crash visible, so that a later delivery takes the task over. An error from
//! here always means: deliver this again.
//!
//! A task that is to be continued is put down first, and handed over then. Whatever dies in between is delivered
//! again, and finds in the record that the continuation is not known to be on its way.

mod attempt;
#[cfg(test)]
mod tests;

use std::{convert::identity, sync::Arc, time::Duration};

use aws_config::SdkConfig;
use lambda_runtime::Context;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::{
    Dispatch, DispatchError, DynamoStore, Record, Store, TaskId, TaskMessage, Timestamp, Webhook,
    aws::{self, MissingSetting},
    logging::chain,
    metrics::Metrics,
    record::{Claim, Failure, FailureCode, Outcome},
    store::{Replaced, StoreError},
    tasks,
};

/// The time that is kept back before the function's timeout, to record that the task ran out of it.
const TIME_TO_RECORD: Duration = Duration::from_secs(1);

/// Runs tasks whose records are in a store, and hands over what is left of them.
///
/// ```
/// use lambda_runtime::Context;
/// use shared::{Record, Status, Store, TaskMessage, Timestamp, Worker, store::MemoryStore};
/// # use shared::{Dispatch, DispatchError, async_trait};
/// #
/// # struct Nobody;
/// # #[async_trait]
/// # impl Dispatch for Nobody {
/// #     async fn dispatch(&self, _: &TaskMessage, _: &Context) -> Result<(), DispatchError> {
/// #         Ok(())
/// #     }
/// # }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// // What the API half has left: a record, and a message that somebody delivers.
/// let store = MemoryStore::default();
/// let parameters = serde_json::from_str(r#"{"millis": 1}"#)?;
/// let record = Record::accept("sleep", parameters, Timestamp::now());
/// store.insert(&record, None).await?;
/// let message = TaskMessage::of(&record);
///
/// let worker = Worker::new(store, Nobody);
/// # let mut invocation = Context::default();
/// # invocation.deadline = u64::MAX / 2;
/// let ended = worker.run(&message, &invocation).await?;
/// assert_eq!(ended.unwrap().status, Status::Succeeded);
///
/// // Delivered once more, it is not run once more.
/// let again = worker.run(&message, &invocation).await?;
/// assert_eq!(again.unwrap().attempts, 1);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Worker {
    // By pointers: so both halves are compiled once, in this crate, and not anew in each function with its own hand-over.
    pub(crate) store: Arc<dyn Store>,
    dispatch: Arc<dyn Dispatch>,
    pub(crate) metrics: Metrics,
    webhook: Webhook,
}

/// The task was not brought to an end; the platform has to deliver it again.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The record could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is left of it could not be handed over.
    #[error(transparent)]
    Dispatch(#[from] DispatchError),
    /// Another worker is believed to run it.
    #[error("task {id} is leased to another worker until {until}")]
    Held {
        /// The task.
        id: TaskId,
        /// When the lease lapses unless it is renewed.
        until: Timestamp,
    },
    /// This worker was too slow, and lost the task to another one. To both it may have come by the same message, which is not
    /// dealt with until the other one has done its part.
    #[error("task {0} was taken over by another worker: what this one did is dropped")]
    TakenOver(TaskId),
}

/// What a delivery found.
enum Claimed {
    /// This worker may run the task.
    Granted(Record),
    /// The continuation may be missing.
    PutDown(Record),
    /// It was cancelled before, which this delivery has recorded as its end.
    Cancelled(Record),
    /// Nothing is left to do. There is no record where the hand-over was taken back, or the record has expired.
    Done(Option<Record>),
}

impl Worker {
    /// The worker of a function on AWS, which its template tells the table's name, and perhaps a webhook.
    ///
    /// # Errors
    ///
    /// The template does not name the table.
    pub fn on_aws(config: &SdkConfig, dispatch: impl Dispatch + 'static) -> Result<Self, MissingSetting> {
        let store = DynamoStore::new(config, aws::setting("TABLE_NAME")?);
        Ok(Self {
            metrics: Metrics::from_environment(),
            webhook: Webhook::from_environment(),
            ..Self::new(store, dispatch)
        })
    }

    /// A worker on the tasks in `store`, which hands over by `dispatch`.
    pub fn new(store: impl Store + 'static, dispatch: impl Dispatch + 'static) -> Self {
        Self {
            store: Arc::new(store),
            dispatch: Arc::new(dispatch),
            metrics: Metrics::default(),
            webhook: Webhook::default(),
        }
    }

    /// Runs the task to its end, or until it is to be continued. Answers its last record, or nothing where there is no
    /// such task.
    ///
    /// # Errors
    ///
    /// The task is not at its end and this delivery must be repeated.
    pub async fn run(
        &self,
        message: &TaskMessage,
        invocation: &Context,
    ) -> Result<Option<Record>, WorkerError> {
        self.run_claimed(self.claim(message, Record::delivered).await?, message, invocation)
            .await
    }

    /// The same for a task that was not delivered: it runs within the request that asks for it, and once.
    ///
    /// # Errors
    ///
    /// How it ends is not known.
    pub(crate) async fn run_within_request(
        &self,
        message: &TaskMessage,
        invocation: &Context,
    ) -> Result<Option<Record>, WorkerError> {
        self.run_claimed(self.claim(message, identity).await?, message, invocation)
            .await
    }

    async fn run_claimed(
        &self,
        claimed: Claimed,
        message: &TaskMessage,
        invocation: &Context,
    ) -> Result<Option<Record>, WorkerError> {
        let record = match claimed {
            Claimed::Done(record) => return Ok(record),
            Claimed::Cancelled(record) => {
                self.announce(&record, invocation).await;
                return Ok(Some(record));
            }
            Claimed::PutDown(record) => return Ok(self.hand_over(record, invocation).await?),
            Claimed::Granted(record) => record,
        };
        self.metrics.attempted(&record, invocation);
        let taken_over = || WorkerError::TakenOver(message.task_id.clone());
        let attempt = self.outcome(record, deadline(invocation)).await;
        let (record, outcome) = attempt.ok_or_else(taken_over)?;
        let record = self.conclude(record, outcome).await?.ok_or_else(taken_over)?;
        if !record.status.is_final() {
            return Ok(self.hand_over(record, invocation).await?);
        }
        self.announce(&record, invocation).await;
        Ok(Some(record))
    }

    /// Records that the platform gave up delivering the task.
    ///
    /// # Errors
    ///
    /// A worker is believed to run the task at this moment, or the store did not answer: ask again later.
    pub async fn give_up(
        &self,
        message: &TaskMessage,
        reason: &str,
        invocation: &Context,
    ) -> Result<(), WorkerError> {
        let failure = Failure::new(FailureCode::GaveUp, reason);
        let mut newest = self.store.get(&message.task_id).await?;
        while let Some(record) = newest {
            let now = Timestamp::now();
            let next = match record.claim(message.continuation, now) {
                Claim::Done => return Ok(()),
                Claim::Held(until) => return Err(held(&record, until)),
                Claim::Cancelled(ended) => ended,
                Claim::Granted(_) => record.failed(failure.clone(), now),
                // The last delivery got so far. If the rest cannot be handed over now, nobody will do it any more.
                Claim::HandOver => match self.send(&record, invocation).await {
                    Ok(()) => record.after_hand_over(),
                    Err(error) => {
                        warn!(task_id = %record.id, error = chain(&error), "what is left could not be handed over");
                        record.failed(failure.clone(), now)
                    }
                },
            };
            match self.store.replace(&next).await? {
                Replaced::Done => {
                    self.announce(&next, invocation).await;
                    return Ok(());
                }
                Replaced::Conflict(newer) => newest = newer.map(|record| *record),
            }
        }
        Ok(())
    }

    /// Claims the task, by a record that `known` may say more in.
    async fn claim(
        &self,
        message: &TaskMessage,
        known: fn(Record) -> Record,
    ) -> Result<Claimed, WorkerError> {
        let mut newest = self.store.get(&message.task_id).await?;
        while let Some(record) = newest {
            let (next, claimed): (_, fn(Record) -> Claimed) =
                match record.claim(message.continuation, Timestamp::now()) {
                    Claim::Done => return Ok(Claimed::Done(Some(record))),
                    Claim::HandOver => return Ok(Claimed::PutDown(record)),
                    Claim::Held(until) => return Err(held(&record, until)),
                    Claim::Cancelled(next) => (next, Claimed::Cancelled),
                    Claim::Granted(next) => (known(next), Claimed::Granted),
                };
            match self.store.replace(&next).await? {
                Replaced::Done => return Ok(claimed(next)),
                Replaced::Conflict(newer) => newest = newer.map(|record| *record),
            }
        }
        warn!(
            task_id = %message.task_id,
            "there is no such task: its hand-over was taken back, or its record expired"
        );
        Ok(Claimed::Done(None))
    }

    /// Runs the task. Answers the newest record and what the attempt came to, or nothing where the lease was lost.
    async fn outcome(&self, record: Record, deadline: Instant) -> Option<(Record, Outcome)> {
        match tasks::parse(&record.kind, record.parameters.clone()) {
            Ok(task) => self.attempt(record, task, deadline).await,
            // The request was checked when it was accepted: the function was changed since.
            Err(error) => Some((record, Outcome::Failed(Failure::of_task(error.to_string())))),
        }
    }

    /// Records what the attempt came to. Answers the last record, or nothing where another worker took the task over.
    async fn conclude(&self, mut record: Record, outcome: Outcome) -> Result<Option<Record>, WorkerError> {
        loop {
            let next = record.attempted(outcome.clone(), Timestamp::now());
            match self.store.replace(&next).await? {
                Replaced::Done => return Ok(Some(next)),
                Replaced::Conflict(Some(newer)) if record.is_same_attempt(&newer) => record = *newer,
                Replaced::Conflict(_) => return Ok(None),
            }
        }
    }

    /// Hands the task over, to be begun or to be continued, and says so in its record. Answers the newest record, or
    /// nothing where it was removed.
    ///
    /// # Errors
    ///
    /// The platform did not take it, or it is not known whether it did.
    pub(crate) async fn hand_over(
        &self,
        record: Record,
        invocation: &Context,
    ) -> Result<Option<Record>, DispatchError> {
        self.send(&record, invocation).await?;
        Ok(self.mark_handed_over(record).await)
    }

    /// The first half of [`Self::hand_over`].
    pub(crate) async fn send(&self, record: &Record, invocation: &Context) -> Result<(), DispatchError> {
        self.dispatch.dispatch(&TaskMessage::of(record), invocation).await
    }

    /// The second half.
    pub(crate) async fn mark_handed_over(&self, record: Record) -> Option<Record> {
        let marked = record.after_hand_over();
        match self.store.replace(&marked).await {
            Ok(Replaced::Done) => Some(marked),
            // The worker has it, and has said so; or it is gone, and there is nothing to run.
            Ok(Replaced::Conflict(newer)) => newer.map(|newer| *newer),
            // It will be run; all that is lost is that a repetition may hand it over once more.
            Err(error) => {
                warn!(task_id = %record.id, error = chain(&error), "the hand-over could not be marked");
                Some(record)
            }
        }
    }

    /// Says that the task has ended, if it has: in the log, by a line through which it is found there, and to the
    /// webhook.
    pub(crate) async fn announce(&self, record: &Record, invocation: &Context) {
        if !record.status.is_final() {
            return;
        }
        let milliseconds = |from: Option<Timestamp>, to: Option<Timestamp>| {
            from.zip(to)
                .map(|(from, to)| u64::try_from((to - from).as_millis()).unwrap_or(u64::MAX))
        };
        info!(
            task_id = %record.id,
            kind = record.kind,
            status = %record.status,
            attempts = record.attempts,
            continuations = record.continuations,
            api_request_id = record.api_request_id,
            queued_milliseconds = milliseconds(Some(record.accepted_at), record.started_at),
            run_milliseconds = milliseconds(record.started_at, record.finished_at),
            error = record.error.as_ref().map(|failure| failure.message.as_str()),
            "task ended"
        );
        self.metrics.ended(record, invocation);
        // Not to the very end of the function's time: it would be killed, and the task delivered again.
        self.webhook.notify(record, deadline(invocation)).await;
    }
}

fn held(record: &Record, until: Timestamp) -> WorkerError {
    let id = record.id.clone();
    WorkerError::Held { id, until }
}

/// When the task has to stop: a little before the function is.
fn deadline(invocation: &Context) -> Instant {
    let left = time_left(invocation);
    Instant::now() + left.saturating_sub(TIME_TO_RECORD.min(left / 4))
}

/// How long the function may go on.
fn time_left(invocation: &Context) -> Duration {
    Timestamp::at(Duration::from_millis(invocation.deadline)) - Timestamp::now()
}
