//! What becomes of tasks, as CloudWatch metrics: lines of the log in the embedded metric format, from which CloudWatch
//! makes them without a call from the function
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).
//!
//! Each line also names the task, the request to the API that it came with, and the invocation that writes: so the way
//! of one task through both halves can be read in the log, from the id that API Gateway gave its client.

use std::{
    io::{Write as _, stdout},
    sync::Arc,
};

use lambda_runtime::Context;
use serde_json::{Value, json};

use crate::{Record, Status, Timestamp, aws};

/// The environment variable that holds the name of the stack.
const VARIABLE: &str = "STACK_NAME";

/// Where CloudWatch keeps the metrics.
const NAMESPACE: &str = "lambda-offload";

/// The one dimension of the metrics. Each further one would multiply their number, and what they cost.
const DIMENSION: &str = "Stack";

/// Writes metrics, if it knows of which stack. By default it does not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    stack: Option<Arc<str>>,
}

/// The value of a metric, with its name and unit.
type Datum = (&'static str, &'static str, u64);

impl Metrics {
    /// The metrics of the stack that the environment variable `STACK_NAME` names; none where it is unset.
    pub(crate) fn from_environment() -> Self {
        Self {
            stack: aws::setting(VARIABLE).ok().map(Arc::from),
        }
    }

    /// A task was accepted, and handed over or begun.
    pub(crate) fn accepted(&self, record: &Record, invocation: &Context) {
        self.write(&[("Accepted", "Count", 1)], record, invocation);
    }

    /// A worker has begun the task, or taken it up again: to continue it, or because the last worker has died.
    pub(crate) fn attempted(&self, record: &Record, invocation: &Context) {
        match record.started_at {
            Some(started) if record.attempts == 1 => {
                let age = milliseconds(record.accepted_at, started);
                let data = [("Started", "Count", 1), ("AgeAtStart", "Milliseconds", age)];
                self.write(&data, record, invocation);
            }
            _ => self.write(&[("Resumed", "Count", 1)], record, invocation),
        }
    }

    /// The task has ended.
    pub(crate) fn ended(&self, record: &Record, invocation: &Context) {
        let end = match record.status {
            Status::Succeeded => "Succeeded",
            Status::Failed => "Failed",
            Status::Cancelled => "Cancelled",
            Status::Queued | Status::Running => return,
        };
        let mut data = vec![
            (end, "Count", 1),
            ("Attempts", "Count", u64::from(record.attempts)),
        ];
        if let Some((started, finished)) = record.started_at.zip(record.finished_at) {
            data.push(("RunTime", "Milliseconds", milliseconds(started, finished)));
        }
        self.write(&data, record, invocation);
    }

    fn write(&self, data: &[Datum], record: &Record, invocation: &Context) {
        if let Some(stack) = &self.stack {
            let line = line(stack, data, record, invocation, Timestamp::now());
            // A function whose log is gone goes on.
            let _ = writeln!(stdout(), "{line}");
        }
    }
}

fn line(stack: &str, data: &[Datum], record: &Record, invocation: &Context, now: Timestamp) -> Value {
    let metrics: Vec<_> = data
        .iter()
        .map(|(name, unit, _)| json!({ "Name": name, "Unit": unit }))
        .collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.epoch_milliseconds(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics,
            }],
        },
        DIMENSION: stack,
        "task_id": record.id,
        "kind": record.kind,
        "api_request_id": record.api_request_id,
        "function_request_id": invocation.request_id,
        "xray_trace_id": invocation.xray_trace_id,
    });
    for (name, _, value) in data {
        line[name] = json!(value);
    }
    line
}

fn milliseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from((to - from).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Map;

    use super::*;

    #[test]
    fn a_line_is_in_the_embedded_metric_format_and_names_the_request_that_the_task_came_with() {
        let accepted = Timestamp::at(Duration::from_secs(1_000));
        let record = Record {
            api_request_id: Some("JCInYgIKPHcEJbQ=".to_owned()),
            ..Record::accept("sleep", Map::new(), accepted)
        };
        let mut invocation = Context::default();
        invocation.request_id = "8f5".to_owned();
        let now = accepted + Duration::from_millis(1_500);
        let data = [("Started", "Count", 1), ("AgeAtStart", "Milliseconds", 1_500)];
        let expected = json!({
            "_aws": {
                "Timestamp": 1_001_500,
                "CloudWatchMetrics": [{
                    "Namespace": "lambda-offload",
                    "Dimensions": [["Stack"]],
                    "Metrics": [
                        {"Name": "Started", "Unit": "Count"},
                        {"Name": "AgeAtStart", "Unit": "Milliseconds"},
                    ],
                }],
            },
            "Stack": "tasks",
            "Started": 1,
            "AgeAtStart": 1_500,
            "task_id": record.id,
            "kind": "sleep",
            "api_request_id": "JCInYgIKPHcEJbQ=",
            "function_request_id": "8f5",
            "xray_trace_id": null,
        });
        assert_eq!(line("tasks", &data, &record, &invocation, now), expected);
    }
}
