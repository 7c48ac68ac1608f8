//! The worker half: claims a task that was delivered, runs it, and records how it ended.
//!
//! Deliveries come at least once. The claim, a conditional write, makes the effect happen once; a lease that is
//! renewed while the task runs makes a crash visible, so that a later delivery takes the task over. An error from
//! here always means: deliver this again.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use lambda_runtime::Context;
use serde_json::Value;
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep, sleep_until},
};
use tracing::{info, warn};

use crate::{
    Record, Store, TaskId, Timestamp,
    record::{Claim, Failure, FailureCode, Outcome},
    store::{Replaced, StoreError},
    task::{AnyTask, TaskContext, TaskError},
    tasks,
};

/// The time that is kept back before the function's timeout, to record that the task ran out of it.
const TIME_TO_RECORD: Duration = Duration::from_secs(1);

/// The interval between two renewals of the lease. It grows with the age of the attempt, so that short tasks show
/// progress soon and long ones cost few writes.
const RENEWAL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// Runs tasks whose records are in a store.
#[derive(Clone, Debug)]
pub struct Worker<S> {
    store: S,
}

/// The task was not brought to an end; the platform has to deliver it again.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The record could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another worker is believed to run it.
    #[error("task {id} is leased to another worker until {until}")]
    Held {
        /// The task.
        id: TaskId,
        /// When the lease lapses unless it is renewed.
        until: Timestamp,
    },
}

impl<S: Store> Worker<S> {
    /// A worker on the tasks in `store`.
    pub fn new(store: S) -> Self {
        Self { store }
    }

    /// Runs the task to its end, unless it has ended already. Answers its last record, or nothing where this delivery
    /// has nothing to do: no such task, or another worker took it over.
    ///
    /// # Errors
    ///
    /// The task is not at its end and this delivery must be repeated.
    pub async fn run(&self, id: &TaskId, invocation: &Context) -> Result<Option<Record>, WorkerError> {
        let Some(record) = self.claim(id).await? else {
            return Ok(None);
        };
        if record.status.is_final() {
            return Ok(Some(record));
        }
        let (record, outcome) = match tasks::parse(&record.kind, record.parameters.clone()) {
            Ok(task) => match self.attempt(record, task, deadline(invocation)).await {
                Some(ended) => ended,
                None => return Ok(None),
            },
            // The request was checked when it was accepted: the function was changed since.
            Err(error) => (record, failed(FailureCode::TaskFailed, error.to_string())),
        };
        let ended = self.finish(record, outcome).await?;
        if let Some(record) = &ended {
            log_end(record);
        }
        Ok(ended)
    }

    /// Records that the platform gave up delivering the task.
    ///
    /// # Errors
    ///
    /// A worker is believed to run the task at this moment, or the store did not answer: ask again later.
    pub async fn give_up(&self, id: &TaskId, reason: &str) -> Result<(), WorkerError> {
        let mut newest = self.store.get(id).await?;
        while let Some(record) = newest {
            let next = match record.claim(Timestamp::now()) {
                Claim::Finished => return Ok(()),
                Claim::Held(until) => {
                    return Err(WorkerError::Held {
                        id: id.clone(),
                        until,
                    });
                }
                Claim::Cancelled(ended) => ended,
                Claim::Granted(_) => {
                    record.finished(failed(FailureCode::GaveUp, reason.to_owned()), Timestamp::now())
                }
            };
            match self.store.replace(&next).await? {
                Replaced::Done => {
                    log_end(&next);
                    return Ok(());
                }
                Replaced::Conflict(newer) => newest = newer.map(|record| *record),
            }
        }
        Ok(())
    }

    /// The claimed record, or one that is final, or nothing where no such task exists.
    async fn claim(&self, id: &TaskId) -> Result<Option<Record>, WorkerError> {
        let mut newest = self.store.get(id).await?;
        while let Some(record) = newest {
            let next = match record.claim(Timestamp::now()) {
                Claim::Finished => return Ok(Some(record)),
                Claim::Held(until) => {
                    return Err(WorkerError::Held {
                        id: id.clone(),
                        until,
                    });
                }
                Claim::Cancelled(next) | Claim::Granted(next) => next,
            };
            match self.store.replace(&next).await? {
                Replaced::Done => return Ok(Some(next)),
                Replaced::Conflict(newer) => newest = newer.map(|record| *record),
            }
        }
        warn!(task_id = %id, "there is no such task: its hand-over was taken back, or its record expired");
        Ok(None)
    }

    /// Runs the task while renewing its lease. Answers the newest record and how the attempt ended, or nothing where
    /// the lease was lost.
    async fn attempt(
        &self,
        mut record: Record,
        task: AnyTask,
        deadline: Instant,
    ) -> Option<(Record, Outcome)> {
        let context = Arc::new(TaskContext::new(deadline));
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
                Some(ended) = running.join_next() => return Some((record, outcome_of(ended))),
                () = sleep_until(context.deadline()) => return Some((record, out_of_time(started.elapsed()))),
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
                warn!(task_id = %record.id, %error, "the lease could not be renewed");
                Some(record)
            }
        }
    }

    /// Records the end. Answers the last record, or nothing where another worker took the task over.
    async fn finish(&self, mut record: Record, outcome: Outcome) -> Result<Option<Record>, WorkerError> {
        loop {
            let ended = record.finished(outcome.clone(), Timestamp::now());
            match self.store.replace(&ended).await? {
                Replaced::Done => return Ok(Some(ended)),
                Replaced::Conflict(Some(newer)) if record.is_same_attempt(&newer) => record = *newer,
                Replaced::Conflict(_) => {
                    warn!(task_id = %record.id, "another worker took the task over: this result is dropped");
                    return Ok(None);
                }
            }
        }
    }
}

/// When the task has to stop: a little before the function is.
fn deadline(invocation: &Context) -> Instant {
    let left = Timestamp::at(Duration::from_millis(invocation.deadline)) - Timestamp::now();
    Instant::now() + left.saturating_sub(TIME_TO_RECORD.min(left / 4))
}

fn outcome_of(ended: Result<Result<Value, TaskError>, JoinError>) -> Outcome {
    match ended {
        Ok(Ok(result)) => Outcome::Succeeded(result),
        Ok(Err(error)) => failed(FailureCode::TaskFailed, error.to_string()),
        Err(error) => failed(FailureCode::TaskFailed, format!("the task panicked: {error}")),
    }
}

fn out_of_time(elapsed: Duration) -> Outcome {
    let message = format!(
        "stopped after {:.1} s, because the time of its function was nearly up",
        elapsed.as_secs_f64()
    );
    failed(FailureCode::DeadlineExceeded, message)
}

fn failed(code: FailureCode, message: String) -> Outcome {
    Outcome::Failed(Failure { code, message })
}

/// The structured line by which the end of a task is found in the logs.
fn log_end(record: &Record) {
    let milliseconds = |from: Option<Timestamp>, to: Option<Timestamp>| {
        from.zip(to)
            .map(|(from, to)| u64::try_from((to - from).as_millis()).unwrap_or(u64::MAX))
    };
    info!(
        task_id = %record.id,
        kind = record.kind,
        status = %record.status,
        attempts = record.attempts,
        queued_milliseconds = milliseconds(Some(record.accepted_at), record.started_at),
        run_milliseconds = milliseconds(record.started_at, record.finished_at),
        error = record.error.as_ref().map(|failure| failure.message.as_str()),
        "task ended"
    );
}
