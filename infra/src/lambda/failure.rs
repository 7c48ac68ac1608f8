//! Why an environment could not handle an event, and how Lambda speaks of it: to the caller, in the log, in the REPORT
//! line (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-invoke-with-errors>).

use std::{fmt, time::Duration};

use bytes::Bytes;
use serde_json::Value;

use super::invocation::Outcome;

/// What went wrong in an environment. It is reset by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The time was over.
    TimedOut,
    /// The process could not be started: why not.
    NotStarted(String),
    /// The process ended: how, in Lambda's words, and whether it was for want of memory.
    Exited { status: String, is_out_of_memory: bool },
    /// The runtime reported an error during init.
    Reported(Bytes),
    /// An extension reported an error of that type.
    Extension(String),
}

impl Failure {
    /// What the caller gets for an event that was not answered.
    pub(super) fn outcome(&self, request_id: &str, timeout: Duration) -> Outcome {
        match self {
            Self::TimedOut => Outcome::timed_out(request_id, timeout),
            Self::Reported(error) => Outcome::error(error.clone()),
            // A process that was killed for its memory has ended, to the caller, like any other.
            Self::Exited { .. } => Outcome::platform_error(request_id, "Runtime.ExitError", &self.message()),
            Self::NotStarted(_) | Self::Extension(_) => {
                Outcome::platform_error(request_id, &self.error_type(), &self.message())
            }
        }
    }

    /// What the log says of it besides the REPORT line.
    pub(super) fn log_lines(&self, request_id: &str, timeout: Duration) -> Vec<String> {
        match self {
            Self::TimedOut => {
                let now = jiff::Timestamp::now();
                vec![format!(
                    "{now:.3} {request_id} Task timed out after {:.2} seconds",
                    timeout.as_secs_f64()
                )]
            }
            // The runtime has logged it.
            Self::Reported(_) => Vec::new(),
            Self::Exited { .. } => {
                vec![
                    format!("RequestId: {request_id} Error: {}", self.message()),
                    "Runtime.ExitError".to_owned(),
                ]
            }
            Self::NotStarted(_) | Self::Extension(_) => {
                vec![
                    format!("RequestId: {request_id} Error: {}", self.message()),
                    self.error_type(),
                ]
            }
        }
    }

    fn message(&self) -> String {
        match self {
            Self::TimedOut => "the time is over".to_owned(),
            Self::NotStarted(reason) => reason.clone(),
            Self::Exited { status, .. } if status == "exit status 0" => {
                "Runtime exited without providing a reason".to_owned()
            }
            Self::Exited { status, .. } => format!("Runtime exited with error: {status}"),
            Self::Reported(_) => "the runtime reported an error".to_owned(),
            Self::Extension(_) => "an extension reported an error".to_owned(),
        }
    }

    fn error_type(&self) -> String {
        match self {
            Self::TimedOut => "Sandbox.Timedout".to_owned(),
            Self::NotStarted(_) => "Runtime.InvalidEntrypoint".to_owned(),
            Self::Exited {
                is_out_of_memory: true,
                ..
            } => "Runtime.OutOfMemory".to_owned(),
            Self::Exited { .. } => "Runtime.ExitError".to_owned(),
            Self::Reported(error) => {
                let error: Value = serde_json::from_slice(error).unwrap_or_default();
                error["errorType"]
                    .as_str()
                    .unwrap_or("Runtime.Unknown")
                    .to_owned()
            }
            Self::Extension(error_type) => error_type.clone(),
        }
    }
}

/// As at the end of an `INIT_REPORT` or REPORT line.
impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => write!(formatter, "Status: timeout"),
            _ => write!(formatter, "Status: error\tError Type: {}", self.error_type()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(status: &str, is_out_of_memory: bool) -> Failure {
        Failure::Exited {
            status: status.to_owned(),
            is_out_of_memory,
        }
    }

    #[test]
    fn a_report_ends_with_what_went_wrong() {
        let reported = Failure::Reported(Bytes::from_static(
            br#"{"errorType":"Runtime.ImportModuleError"}"#,
        ));
        for (failure, text) in [
            (Failure::TimedOut, "Status: timeout"),
            (
                exited("exit status 1", false),
                "Status: error\tError Type: Runtime.ExitError",
            ),
            (
                exited("signal: killed", true),
                "Status: error\tError Type: Runtime.OutOfMemory",
            ),
            (
                Failure::NotStarted(String::new()),
                "Status: error\tError Type: Runtime.InvalidEntrypoint",
            ),
            (reported, "Status: error\tError Type: Runtime.ImportModuleError"),
            (
                Failure::Reported(Bytes::new()),
                "Status: error\tError Type: Runtime.Unknown",
            ),
        ] {
            assert_eq!(failure.to_string(), text);
        }
    }

    /// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>: the log of a crash.
    #[test]
    fn a_crash_is_logged_and_answered_as_an_exit_error() {
        let timeout = Duration::from_secs(3);
        let lines = exited("exit status 0", false).log_lines("id", timeout);
        assert_eq!(
            lines,
            [
                "RequestId: id Error: Runtime exited without providing a reason",
                "Runtime.ExitError"
            ]
        );
        let outcome = exited("signal: killed", true).outcome("id", timeout);
        let answer: Value = serde_json::from_slice(&outcome.payload).unwrap();
        assert_eq!(answer["errorType"], "Runtime.ExitError");
        assert_eq!(
            answer["errorMessage"],
            "RequestId: id Error: Runtime exited with error: signal: killed"
        );
    }
}
