//! The record of one accepted task, and the transitions that are legal.
//!
//! The transitions are plain functions from one record to the next; [`crate::store`] makes each of them happen at
//! most once, by writing a record only over the version that it was derived from. So whoever holds the newest
//! version of a running record holds the task's lease, and nobody needs a lock. What the transitions guarantee under
//! every order of events is checked in `model`, with the tests.

mod id;
mod json_text;
#[cfg(test)]
mod model;
mod status;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Timestamp;

pub use id::TaskId;
pub use status::{Failure, FailureCode, Status};

/// How long a worker's claim lasts unless it is renewed. Long enough to survive a slow store and a few lost
/// renewals, short enough that a crash is noticed before the first retry of the asynchronous queue, one minute later
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
pub const LEASE: Duration = Duration::from_secs(30);

/// How often a task may be continued: about a day, at 15 minutes each time. Lambda's own detection of loops, which
/// ends a chain after about 16 invocations, has to be lifted for continued tasks; this takes its place.
pub const MOST_CONTINUATIONS: u32 = 100;

/// How long a record is kept after the task has ended, and an idempotency key after the task was accepted.
pub(crate) const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long the record of a task that has not ended is kept after it was handed over or begun: a week longer than its message
/// may wait in a queue, which is 14 days
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>). A message that found
/// no record would count as dealt with, and its task would be lost.
const RETENTION_OF_UNENDED: Duration = Duration::from_secs(21 * 24 * 60 * 60);

/// What an attempt at a task came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The task has ended with a result.
    Succeeded(Value),
    /// It has ended with an error.
    Failed(Failure),
    /// It has ended on request.
    Cancelled,
    /// It goes on in a later invocation.
    ToBeContinued {
        /// Where to go on.
        checkpoint: Value,
        /// How much is done, from 0 to 1.
        progress: f64,
    },
}

/// All that is known of one accepted task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The task's id.
    pub id: TaskId,
    /// What kind of task it is.
    pub kind: String,
    /// Its parameters, as the client sent them.
    #[serde(with = "json_text")]
    pub parameters: Map<String, Value>,
    /// The id that API Gateway gave the request, and its client with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_request_id: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// How many times a worker began it, or went on with it.
    pub attempts: u32,
    /// How many times it was put down with a checkpoint, to be continued by a later invocation.
    pub continuations: u32,
    /// When the API accepted it.
    pub accepted_at: Timestamp,
    /// When a worker first began it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How much is done, from 0 to 1.
    pub progress: f64,
    /// Where to go on, if it was put down.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "json_text::optional"
    )]
    pub checkpoint: Option<Value>,
    /// What it returned, if it succeeded.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "json_text::optional"
    )]
    pub result: Option<Value>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Whether the last hand-over is known to have succeeded, by who handed it over or by its having been delivered. It is not
    /// said of a task that waits and was accepted without an idempotency key: nobody could ask.
    pub handed_over: bool,
    /// Whether the client asked for the end of it.
    pub cancel_requested: bool,
    /// Until when the worker that began it is believed to be alive.
    pub leased_until: Option<Timestamp>,
    /// When the store may forget the record, in seconds since 1970.
    pub expires_at: u64,
    /// Counts the changes of this record.
    pub version: u64,
    /// Identifies the last change. By it a writer whose answer was lost knows its own write.
    pub change: Uuid,
}

/// What a worker may do with the record of a task that was delivered to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Run the task; this record is to be stored first.
    Granted(Record),
    /// Do not run it, but store this record: the task was cancelled while it waited.
    Cancelled(Record),
    /// There is nothing to do: the task has ended, or it was put down since and its continuation is on its way.
    Done,
    /// The task was put down, and its continuation is not known to be on its way: hand it over.
    HandOver,
    /// Another worker is believed to run it, until then at the latest. The delivery must be repeated later.
    Held(Timestamp),
}

impl Record {
    /// The record of a task that is accepted now.
    pub fn accept(kind: &str, parameters: Map<String, Value>, now: Timestamp) -> Self {
        Self {
            id: TaskId::random(),
            kind: kind.to_owned(),
            parameters,
            api_request_id: None,
            status: Status::Queued,
            attempts: 0,
            continuations: 0,
            accepted_at: now,
            started_at: None,
            finished_at: None,
            progress: 0.0,
            checkpoint: None,
            result: None,
            error: None,
            handed_over: false,
            cancel_requested: false,
            leased_until: None,
            expires_at: (now + RETENTION_OF_UNENDED).epoch_seconds(),
            version: 0,
            change: Uuid::new_v4(),
        }
    }

    /// Whether a worker is believed to be at work on it.
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.status == Status::Running && self.leased_until.is_some_and(|until| until > now)
    }

    /// What a worker may do that was handed this task, when it had been put down so many times.
    pub fn claim(&self, continuation: u32, now: Timestamp) -> Claim {
        if self.status.is_final() {
            return Claim::Done;
        }
        if self.continuations > continuation {
            let on_its_way = self.handed_over || self.is_leased(now);
            return if on_its_way { Claim::Done } else { Claim::HandOver };
        }
        match self.leased_until {
            Some(until) if until > now => Claim::Held(until),
            _ if self.cancel_requested => Claim::Cancelled(self.ended(Status::Cancelled, now)),
            _ => Claim::Granted(Self {
                status: Status::Running,
                attempts: self.attempts + 1,
                started_at: self.started_at.or(Some(now)),
                leased_until: Some(now + LEASE),
                expires_at: (now + RETENTION_OF_UNENDED).epoch_seconds(),
                ..self.next_version()
            }),
        }
    }

    /// The same, claimed on the ground of a delivery, which proves that the hand-over succeeded: until the attempt is dealt
    /// with, it can come again.
    #[must_use]
    pub fn delivered(self) -> Self {
        Self {
            handed_over: true,
            ..self
        }
    }

    /// The record of a running task whose worker is still at it.
    #[must_use]
    pub fn renewed(&self, progress: f64, now: Timestamp) -> Self {
        Self {
            progress,
            leased_until: Some(now + LEASE),
            ..self.next_version()
        }
    }

    /// The record after an attempt. A task that was asked to stop ends as cancelled, whatever it came to: that is
    /// what its client was told.
    #[must_use]
    pub fn attempted(&self, outcome: Outcome, now: Timestamp) -> Self {
        match outcome {
            _ if self.cancel_requested => self.ended(Status::Cancelled, now),
            Outcome::Cancelled => self.ended(Status::Cancelled, now),
            Outcome::Failed(failure) => self.failed(failure, now),
            Outcome::Succeeded(result) => Self {
                progress: 1.0,
                result: Some(result),
                ..self.ended(Status::Succeeded, now)
            },
            Outcome::ToBeContinued { checkpoint, progress } => match self.objection(&checkpoint) {
                Some(message) => self.failed(Failure::of_task(message), now),
                None => Self {
                    continuations: self.continuations + 1,
                    checkpoint: Some(checkpoint),
                    progress,
                    handed_over: false,
                    leased_until: None,
                    expires_at: (now + RETENTION_OF_UNENDED).epoch_seconds(),
                    ..self.next_version()
                },
            },
        }
    }

    /// The record of a task that nobody will run any more.
    #[must_use]
    pub fn failed(&self, failure: Failure, now: Timestamp) -> Self {
        Self {
            error: Some(failure),
            ..self.ended(Status::Failed, now)
        }
    }

    /// The record after the client asked for the end: a task that waits ends at once, and so does one whose worker is believed
    /// to be dead; a running one is asked to stop. Nothing where there is nothing to change.
    pub fn cancelled(&self, now: Timestamp) -> Option<Self> {
        match self.status {
            Status::Succeeded | Status::Failed | Status::Cancelled => None,
            Status::Queued | Status::Running if !self.is_leased(now) => {
                Some(self.ended(Status::Cancelled, now))
            }
            Status::Queued | Status::Running if self.cancel_requested => None,
            Status::Queued | Status::Running => Some(Self {
                cancel_requested: true,
                ..self.next_version()
            }),
        }
    }

    /// The record once the hand-over is known to have succeeded.
    #[must_use]
    pub fn after_hand_over(&self) -> Self {
        Self {
            handed_over: true,
            ..self.next_version()
        }
    }

    /// Whether `newer`, read from the store, is this record with no other worker in between: at most the client has
    /// asked for the end.
    pub fn is_same_attempt(&self, newer: &Self) -> bool {
        newer.status == Status::Running
            && (newer.attempts, newer.continuations) == (self.attempts, self.continuations)
    }

    /// Why the task may not go on from there.
    fn objection(&self, checkpoint: &Value) -> Option<String> {
        if self.continuations >= MOST_CONTINUATIONS {
            return Some(format!(
                "it was continued {MOST_CONTINUATIONS} times, and still has not ended"
            ));
        }
        if self.checkpoint.as_ref() == Some(checkpoint) {
            return Some("it got no further between two checkpoints".to_owned());
        }
        None
    }

    fn ended(&self, status: Status, now: Timestamp) -> Self {
        Self {
            status,
            finished_at: Some(now),
            leased_until: None,
            checkpoint: None,
            // However long it took, there is time to see what it came to.
            expires_at: (now + RETENTION).epoch_seconds(),
            ..self.next_version()
        }
    }

    fn next_version(&self) -> Self {
        Self {
            version: self.version + 1,
            change: Uuid::new_v4(),
            ..self.clone()
        }
    }
}
