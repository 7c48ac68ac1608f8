//! One invocation: what goes in, what comes out.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::oneshot;

use super::recursion::{Lineage, Loop};

/// What a function is invoked with.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The same for every attempt at an asynchronous event.
    pub request_id: String,
    /// The event, as JSON.
    pub payload: Bytes,
    /// The value of `X-Amzn-Trace-Id`.
    pub trace_id: String,
    /// The client context as JSON, of a synchronous invocation.
    pub client_context: Option<String>,
    /// Whether the caller wants the end of the log; the outcome then waits for the REPORT line.
    pub wants_log: bool,
}

impl Invocation {
    /// An invocation with `payload`, under a new request id and a new trace.
    pub fn new(payload: Bytes) -> Self {
        Self {
            request_id: uuid::Uuid::new_v4().to_string(),
            payload,
            trace_id: new_trace_id(),
            client_context: None,
            wants_log: false,
        }
    }

    /// Puts the invocation into the chain of requests that a lineage tells of.
    pub(super) fn follow(&mut self, lineage: &Lineage) {
        self.trace_id = lineage.write_into(&self.trace_id);
    }

    /// Counts it as one more of the function in its chain of requests.
    ///
    /// # Errors
    ///
    /// It is one too many, and `is_loop_allowed` is not set.
    pub(super) fn count(&mut self, function_arn: &str, is_loop_allowed: bool) -> Result<(), Loop> {
        let mut lineage = Lineage::of(&self.trace_id);
        lineage.extend(function_arn, is_loop_allowed)?;
        self.follow(&lineage);
        Ok(())
    }
}

/// A trace that begins here and is not sampled
/// (<https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>).
fn new_trace_id() -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    let seconds = jiff::Timestamp::now().as_second();
    format!(
        "Root=1-{seconds:08x}-{};Parent={};Sampled=0",
        &random[..24],
        &random[16..]
    )
}

/// What an invocation came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The function's response, or its error as JSON.
    pub payload: Bytes,
    /// Whether it is an error: the value of `X-Amz-Function-Error`.
    pub function_error: Option<&'static str>,
    /// The last 4 KB of the invocation's log, where it was asked for.
    pub log_tail: Vec<u8>,
}

impl Outcome {
    /// The function answered.
    pub fn response(payload: Bytes) -> Self {
        Self {
            payload,
            function_error: None,
            log_tail: Vec::new(),
        }
    }

    /// The function, or its environment, failed: with the error that the runtime reported.
    pub fn error(payload: Bytes) -> Self {
        Self {
            payload,
            function_error: Some("Unhandled"),
            log_tail: Vec::new(),
        }
    }

    /// The environment failed: with the error that Lambda itself makes of it.
    pub fn platform_error(request_id: &str, error_type: &str, message: &str) -> Self {
        let error = json!({
            "errorType": error_type,
            "errorMessage": format!("RequestId: {request_id} Error: {message}"),
        });
        Self::error(error.to_string().into())
    }

    /// The function's response is larger than `limit` bytes. The text stands in public recordings; unlike other errors
    /// of Lambda's own, it does not name the request.
    pub(super) fn too_large(limit: usize) -> Self {
        let error = json!({
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": format!("Response payload size exceeded maximum allowed payload size ({limit} bytes)."),
        });
        Self::error(error.to_string().into())
    }

    /// The function ran longer than it may.
    pub fn timed_out(request_id: &str, timeout: Duration) -> Self {
        let message = format!("Task timed out after {:.2} seconds", timeout.as_secs_f64());
        Self::platform_error(request_id, "Sandbox.Timedout", &message)
    }
}

/// Hands an outcome to whoever waits for it, at most once.
#[derive(Debug)]
pub(super) struct Reply(Option<oneshot::Sender<Outcome>>);

impl Reply {
    pub(super) fn new(sender: oneshot::Sender<Outcome>) -> Self {
        Self(Some(sender))
    }

    pub(super) fn send(&mut self, outcome: Outcome) {
        if let Some(sender) = self.0.take() {
            // Nobody may be waiting any more: API Gateway gives up after 30 seconds.
            let _ = sender.send(outcome);
        }
    }
}
