//! The record of one accepted task, and the transitions that are legal.
//!
//! The transitions are plain functions from one record to the next; [`crate::store`] makes each of them happen at
//! most once, by writing a record only over the version that it was derived from. So whoever holds the newest
//! version of a running record holds the task's lease, and nobody needs a lock.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Timestamp;

/// How long a worker's claim lasts unless it is renewed. Long enough to survive a slow store and a few lost
/// renewals, short enough that a crash is noticed before the first retry of the asynchronous queue, one minute later
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
pub const LEASE: Duration = Duration::from_secs(30);

/// How long a record is kept.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Identifies a task. A random UUID: whoever knows it may read and cancel the task.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(String);

impl TaskId {
    /// A new one, which nobody can guess.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// As it stands in URLs and in the store.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.0
    }
}

impl TryFrom<String> for TaskId {
    type Error = uuid::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for TaskId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::parse_str(text).map(|id| Self(id.to_string()))
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted; no worker has begun.
    Queued,
    /// A worker has begun.
    Running,
    /// Ended with a result.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended because the client asked for it.
    Cancelled,
}

impl Status {
    /// Whether the task has ended, for good.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        })
    }
}

/// Why a task failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// One of a few words for programs.
    pub code: FailureCode,
    /// A sentence for people.
    pub message: String,
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The work itself failed.
    TaskFailed,
    /// The work was stopped because the function's time was nearly up.
    DeadlineExceeded,
    /// The platform gave up delivering the task.
    GaveUp,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// With a result.
    Succeeded(Value),
    /// With an error.
    Failed(Failure),
    /// On request.
    Cancelled,
}

/// All that is known of one accepted task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The task's id.
    pub id: TaskId,
    /// What kind of task it is.
    pub kind: String,
    /// Its parameters, as the client sent them.
    pub parameters: Map<String, Value>,
    /// Where it stands.
    pub status: Status,
    /// How many times a worker began it.
    pub attempts: u32,
    /// When the API accepted it.
    pub accepted_at: Timestamp,
    /// When a worker first began it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How much is done, from 0 to 1.
    pub progress: f64,
    /// What it returned, if it succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// Whether the hand-over is known to have succeeded. Kept for requests with an idempotency key, whose repetition
    /// has to know whether the first got that far.
    pub handed_over: bool,
    /// Whether the client asked for the end of it.
    pub cancel_requested: bool,
    /// Until when the worker that began it is believed to be alive.
    pub leased_until: Option<Timestamp>,
    /// When the store may forget the record, in seconds since 1970.
    pub expires_at: u64,
    /// Counts the changes of this record.
    pub version: u64,
}

/// What a worker may do with the record of a task that was delivered to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Run the task; this record is to be stored first.
    Granted(Record),
    /// Do not run it, but store this record: the task was cancelled while it waited.
    Cancelled(Record),
    /// The task has ended. The delivery is a duplicate.
    Finished,
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
            status: Status::Queued,
            attempts: 0,
            accepted_at: now,
            started_at: None,
            finished_at: None,
            progress: 0.0,
            result: None,
            error: None,
            handed_over: false,
            cancel_requested: false,
            leased_until: None,
            expires_at: (now + RETENTION).epoch_seconds(),
            version: 0,
        }
    }

    /// Whether a worker is believed to be at work on it.
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.status == Status::Running && self.leased_until.is_some_and(|until| until > now)
    }

    /// What a worker may do that was handed this task.
    pub fn claim(&self, now: Timestamp) -> Claim {
        match (self.status, self.leased_until) {
            (Status::Succeeded | Status::Failed | Status::Cancelled, _) => Claim::Finished,
            (Status::Running, Some(until)) if until > now => Claim::Held(until),
            (Status::Queued | Status::Running, _) if self.cancel_requested => {
                Claim::Cancelled(self.ended(Outcome::Cancelled, now))
            }
            (Status::Queued | Status::Running, _) => Claim::Granted(Self {
                status: Status::Running,
                attempts: self.attempts + 1,
                started_at: self.started_at.or(Some(now)),
                leased_until: Some(now + LEASE),
                ..self.next_version()
            }),
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

    /// The record of the task's end. A task that was asked to stop ends as cancelled, whatever it came to: that is
    /// what its client was told.
    #[must_use]
    pub fn finished(&self, outcome: Outcome, now: Timestamp) -> Self {
        self.ended(
            if self.cancel_requested {
                Outcome::Cancelled
            } else {
                outcome
            },
            now,
        )
    }

    /// The record after the client asked for the end: a queued task ends at once, a running one is asked to stop.
    /// Nothing where there is nothing to change.
    pub fn cancelled(&self, now: Timestamp) -> Option<Self> {
        match self.status {
            Status::Queued => Some(self.ended(Outcome::Cancelled, now)),
            Status::Running if !self.cancel_requested => Some(Self {
                cancel_requested: true,
                ..self.next_version()
            }),
            Status::Running | Status::Succeeded | Status::Failed | Status::Cancelled => None,
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
        newer.status == Status::Running && newer.attempts == self.attempts
    }

    fn ended(&self, outcome: Outcome, now: Timestamp) -> Self {
        let mut record = Self {
            finished_at: Some(now),
            leased_until: None,
            ..self.next_version()
        };
        match outcome {
            Outcome::Succeeded(result) => {
                record.status = Status::Succeeded;
                record.progress = 1.0;
                record.result = Some(result);
            }
            Outcome::Failed(failure) => {
                record.status = Status::Failed;
                record.error = Some(failure);
            }
            Outcome::Cancelled => record.status = Status::Cancelled,
        }
        record
    }

    fn next_version(&self) -> Self {
        Self {
            version: self.version + 1,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::at(Duration::from_secs(seconds))
    }

    fn queued() -> Record {
        Record::accept("sleep", Map::new(), at(1_000))
    }

    fn running() -> Record {
        let Claim::Granted(record) = queued().claim(at(1_001)) else {
            panic!("refused")
        };
        record
    }

    #[test]
    fn a_queued_task_is_claimed_once() {
        let running = running();
        assert_eq!(
            (running.status, running.attempts, running.version),
            (Status::Running, 1, 1)
        );
        assert_eq!(running.claim(at(1_002)), Claim::Held(at(1_001) + LEASE));
    }

    #[test]
    fn a_lapsed_lease_is_taken_over_and_the_start_is_kept() {
        let Claim::Granted(second) = running().claim(at(1_031)) else {
            panic!("refused")
        };
        assert_eq!((second.attempts, second.started_at), (2, Some(at(1_001))));
    }

    #[test]
    fn a_renewed_lease_is_held_on() {
        let renewed = running().renewed(0.5, at(1_020));
        assert_eq!(renewed.claim(at(1_049)), Claim::Held(at(1_050)));
    }

    #[test]
    fn a_finished_task_is_never_changed_again() {
        let failure = Failure {
            code: FailureCode::TaskFailed,
            message: String::new(),
        };
        for outcome in [
            Outcome::Succeeded(Value::Null),
            Outcome::Failed(failure),
            Outcome::Cancelled,
        ] {
            let finished = running().finished(outcome, at(1_010));
            assert!(finished.status.is_final());
            assert_eq!(finished.claim(at(9_999)), Claim::Finished);
            assert_eq!(finished.cancelled(at(9_999)), None);
        }
    }

    #[test]
    fn a_queued_task_that_is_cancelled_never_runs() {
        let cancelled = queued().cancelled(at(1_001)).unwrap();
        assert_eq!(
            (cancelled.status, cancelled.finished_at),
            (Status::Cancelled, Some(at(1_001)))
        );
        assert_eq!(cancelled.claim(at(1_002)), Claim::Finished);
    }

    #[test]
    fn a_running_task_that_is_asked_to_stop_ends_cancelled_whatever_it_came_to() {
        let asked = running().cancelled(at(1_005)).unwrap();
        assert_eq!(asked.status, Status::Running);
        assert_eq!(asked.cancelled(at(1_006)), None);
        let ended = asked.finished(Outcome::Succeeded(Value::Null), at(1_007));
        assert_eq!((ended.status, ended.result), (Status::Cancelled, None));
    }

    #[test]
    fn a_task_asked_to_stop_whose_worker_died_is_not_run_again() {
        let asked = running().cancelled(at(1_005)).unwrap();
        let Claim::Cancelled(ended) = asked.claim(at(1_040)) else {
            panic!("claimed")
        };
        assert_eq!(ended.status, Status::Cancelled);
    }

    #[test]
    fn an_id_is_a_uuid_and_nothing_else() {
        assert!(TaskId::random().as_str().parse::<TaskId>().is_ok());
        for text in ["", "1", "key#abc", "../tasks"] {
            assert!(text.parse::<TaskId>().is_err(), "{text}");
        }
    }
}
