//! Where a task stands, and why it failed if it did.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// A sentence for people, at most [`Self::LONGEST_MESSAGE`].
    pub message: String,
}

impl Failure {
    /// The longest message, in bytes. What is beyond it is cut off: the record has to hold it, and a failure that cannot
    /// be recorded would be no end.
    pub const LONGEST_MESSAGE: usize = 4 * 1024;

    /// A failure of this kind.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > Self::LONGEST_MESSAGE {
            message.truncate(message.floor_char_boundary(Self::LONGEST_MESSAGE - '…'.len_utf8()));
            message.push('…');
        }
        Self { code, message }
    }

    /// The work itself failed.
    pub fn of_task(message: impl Into<String>) -> Self {
        Self::new(FailureCode::TaskFailed, message)
    }
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The work itself failed.
    TaskFailed,
    /// The work was stopped because the time of its function, or of the request that it ran within, was nearly up.
    DeadlineExceeded,
    /// The platform gave up delivering the task.
    GaveUp,
}
