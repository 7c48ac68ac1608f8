//! Structured logs: one JSON object a line on standard output, which Lambda sends to CloudWatch Logs
//! (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>).

use tracing::Level;

/// Starts logging. Called once, before anything else.
pub fn start() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(Level::INFO)
        .with_target(false)
        // The runtime has a span for each invocation: its request id and its trace id stand in each line.
        .with_current_span(true)
        .with_span_list(false)
        .init();
}

/// An error with its causes, in one line: what a service refused, and why, stands in the last of them.
pub fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
