//! How each figure of a report was obtained, as far as it is there.

use super::format::count;
use crate::results::{Results, Settings};

/// A term and its explanation.
type Term = (&'static str, String);

/// The terms, in the order of the report.
pub(super) fn method(results: &Results) -> Vec<Term> {
    let settings = &results.settings;
    let mut terms = [first_times(settings), load(settings), stress(settings), figures()].concat();
    terms.retain(|(term, _)| match *term {
        "Memory sizes" => !settings.memory_sizes_mb.is_empty(),
        "Limits" => settings.saturation_from.is_some(),
        _ => true,
    });
    terms
}

fn first_times(settings: &Settings) -> Vec<Term> {
    vec![
        (
            "Order",
            "Everything is built and started first, or deployed already: each way alone behind its own API. Then they are \
             measured in turns, one cold start or one slice of load each, so that what drifts on the machine meets them all alike. The \
             floor is a function that answers every request at once with {}, behind the same kind of API: what is above \
             it is the way's own."
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
            "Memory sizes",
            "In a deployment of its own, whose functions get after init no more CPU time than goes with their memory \
             (1,769 MB for one vCPU), given out every 20 ms: AWS does not say how often. A first invocation that needs \
             less than one such portion hardly notices. In all other deployments neither memory nor CPU time is limited."
                .into(),
        ),
    ]
}

fn load(settings: &Settings) -> Vec<Term> {
    let rates: Vec<String> = settings.rates_per_second.iter().map(u32::to_string).collect();
    vec![
        (
            "Load",
            format!(
                "Open loop at {} requests/s, {} s each in {} slices, after {} s of warm-up; baselines at {} requests/s \
                 alone. Requests leave on schedule whether or \
                 not earlier ones were answered, and latency counts from when a request was due, so that a stall is \
                 not hidden (coordinated omission). The task is a sleep of 0 ms.",
                rates.join(", "),
                settings.seconds_per_rate,
                settings.slices,
                settings.warm_up_seconds,
                settings.reference_rate()
            ),
        ),
        (
            "Task times",
            "After the load of a rate, the records of all its tasks are read until each has ended; their times are \
             the service's own, in microseconds."
                .into(),
        ),
        (
            "Worker",
            "Nobody waits for the worker's invocations: their REPORT lines are read from CloudWatch Logs, after the cold \
             starts and after the load. Where the worker is the API's function too, they are those of the invocations \
             whose log says that a task ended."
                .into(),
        ),
    ]
}

fn stress(settings: &Settings) -> Vec<Term> {
    vec![
        (
            "Burst",
            format!(
                "{} requests sent at the same moment, each on a connection of its own, by a client that does not send \
                 again what was refused.",
                count(settings.burst_tasks.into())
            ),
        ),
        (
            "Limits",
            "Open loop, three seconds at each rate, half as much again from step to step. A rate is not kept up when \
             more than 1 % is refused, or the 90th percentile of answering exceeds 250 ms, or that of starting 1 s, or an \
             accepted task has not ended after a minute; nor when the generator itself is late by half of the first."
                .into(),
        ),
    ]
}

fn figures() -> Vec<Term> {
    vec![
        (
            "Percentiles",
            "Nearest rank, from an HDR histogram with three significant digits. A percentile is left out where the \
             samples cannot show it: p99 below 100 samples, p99.9 below 1,000."
                .into(),
        ),
        (
            "Again",
            "cargo compare, at the commit below. It writes every sample of this report to results.json; with --against \
             it compares two of those."
                .into(),
        ),
        (
            "Check",
            "The picture is the Mandelbrot set, 256 by 256 points, at most 1,000 iterations.".into(),
        ),
    ]
}
