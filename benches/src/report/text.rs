//! The words that every format of the report shares: what was measured, how, and what it cannot show.

use super::format::count;
use crate::results::Results;

pub(super) const TITLE: &str = "Long tasks behind API Gateway, compared";

pub(super) const LEAD: &str = "API Gateway gives a request 30 seconds; a Lambda function may run for 15 minutes. Each \
    variant answers 202 at once and does the work later, in its own way. This report compares what that costs.";

pub(super) const COLD: &str = "A function that has not run for a while starts from nothing: the platform starts its \
    process, the process gets ready (init), and only then is the request handled.";

pub(super) const ACCEPT: &str = "How long a client waits for its 202 when everything is warm.";

pub(super) const START: &str = "How long an accepted task waits until its work begins. The tasks are those of the load \
    above, and do nothing: any other time is the hand-over's.";

pub(super) const CHECK: &str = "Fast means nothing if tasks get lost. Every task accepted under load was followed to its \
    end, and each variant computed the same picture.";

/// What the soak is, where there was one.
pub(super) fn soak(results: &Results) -> Option<String> {
    let plan = results.settings.soak.as_ref()?;
    Some(format!(
        "{} tasks of 0 to 50 ms were handed in to each variant by 16 clients, each with an idempotency key, while the \
         local cloud broke things, each so often: {}. The clients sent again what was not accepted. Then every task was \
         followed to its end, and its end looked up in the functions' log. An accepted task must end, and end once.",
        count(plan.tasks),
        plan.faults
    ))
}

/// How each figure was obtained: a term and its explanation.
pub(super) fn method(results: &Results) -> Vec<(&'static str, String)> {
    let settings = &results.settings;
    let rates: Vec<String> = settings.rates_per_second.iter().map(u32::to_string).collect();
    vec![
        (
            "Order",
            "Everything is built first. Then each variant in turn is deployed alone, measured and removed; the floor \
             comes last. The floor is a function that answers every request at once with {}, behind the same kind \
             of API: what is above it is the variant's own."
                .into(),
        ),
        (
            "First invocation",
            format!(
                "{} times: the API function's configuration is changed (its description), which retires its execution \
                 environments; when the update is successful, the function is invoked synchronously with the event \
                 that API Gateway would send for POST /tasks. Its REPORT line gives Init Duration and Duration; \
                 their sum is the time from the start of the process to the first answer.",
                settings.cold_starts
            ),
        ),
        (
            "First request",
            format!(
                "{} times: every function is reset in the same way, then one request is sent over HTTP. Request to \
                 answer is measured by the client; accepted to started comes from the task's record. Their sum \
                 counts the time from accepted to the answer's arrival twice, so the start of the task was no later \
                 than it says; in exchange no clock is compared with another machine's.",
                settings.cold_starts
            ),
        ),
        (
            "Load",
            format!(
                "Open loop at {} requests/s, {} s each, after {} s of warm-up: requests leave on schedule whether or \
                 not earlier ones were answered, and latency counts from when a request was due, so that a stall is \
                 not hidden (coordinated omission). The task is a sleep of 0 ms.",
                rates.join(", "),
                settings.seconds_per_rate,
                settings.warm_up_seconds
            ),
        ),
        (
            "Task times",
            "After the load of a rate, the records of all its tasks are read until each has ended; their times are \
             the service's own, in microseconds."
                .into(),
        ),
        (
            "Percentiles",
            "Nearest rank, from an HDR histogram with three significant digits. A percentile is left out where the \
             samples cannot show it: p99 below 100 samples, p99.9 below 1,000."
                .into(),
        ),
        (
            "Check",
            "The picture is the Mandelbrot set, 256 by 256 points, at most 1,000 iterations.".into(),
        ),
    ]
}

/// What must not be concluded.
pub(super) fn limits() -> [&'static str; 4] {
    [
        "The functions are the release binaries that go to AWS, run as processes on this machine. There is no network \
         between client, API and services, no TLS, no Firecracker to boot and no code to fetch: every absolute time \
         is shorter than on AWS, cold starts most of all.",
        "The asynchronous queue and SQS are the local cloud's own. Their delays say how the variants use them, not how \
         long AWS takes.",
        "Functions, services and load generator share this machine's cores. What else runs on it shows in the figures.",
        "So: compare the variants with each other here; take absolute times from a deployment on AWS.",
    ]
}

/// What it was measured on: a term and its value.
pub(super) fn machine(results: &Results) -> Vec<(&'static str, String)> {
    let machine = &results.machine;
    vec![
        (
            "Where",
            format!(
                "{}, in a {} run",
                results.platform,
                if results.settings.quick { "quick" } else { "full" }
            ),
        ),
        (
            "When",
            results.created_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        ),
        ("Processor", format!("{}, {} cores", machine.cpu, machine.cores)),
        (
            "Memory",
            format!("{} MiB", count(machine.memory_bytes / (1024 * 1024))),
        ),
        ("System", machine.os.clone()),
        ("Compiler", machine.rustc.clone()),
        ("Commit", machine.commit.clone()),
    ]
}
