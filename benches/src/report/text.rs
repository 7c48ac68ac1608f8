//! The words that every format of the report shares: what was measured, how, and what it cannot show.

use super::format::count;
use crate::ablation::COMMAND;
use crate::cost::Costs;
use crate::place::LOCAL;
use crate::results::{Measured, Results};
use crate::variant::Role;

pub(super) const TITLE: &str = "Long tasks behind API Gateway, compared";

/// What the report is about, as far as it was measured.
pub(super) fn lead(results: &Results) -> String {
    let breaks = |measured: &Measured| measured.soak.is_some() || !measured.faults.is_empty();
    let is_baseline = |measured: &Measured| measured.variant.role() == Role::Baseline;
    let how_it_breaks = if results.measured.iter().any(breaks) {
        ", how it breaks"
    } else {
        ""
    };
    let baselines = if results.measured.iter().any(is_baseline) {
        ", and holds all of them against the ways that people try first"
    } else {
        ""
    };
    format!(
        "API Gateway gives a request 30 seconds; a Lambda function may run for 15 minutes. Each variant answers 202 at once \
         and does the work later, in its own way. This report compares how fast each is{how_it_breaks} and what it \
         costs{baselines}."
    )
}

pub(super) const COLD: &str = "A function that has not run for a while starts from nothing: the platform starts its \
    process, the process gets ready (init), and only then is the request handled.";

/// Where the CPU share could not be imposed.
pub(super) const NO_CPU_SHARES: &str = "Cold starts by memory size were not measured: this system does not let the \
    local cloud give a function the CPU share that goes with its memory (control groups; they take root).";

pub(super) const READING_RANGES: &str = "Bars end at the median; the line reaches from the smallest to the largest \
    sample; each dot is a sample.";

pub(super) const READING_PERCENTILES: &str = "Read a curve at 99 %: of a hundred samples, all but the slowest took at \
    most that long. The time axis is logarithmic.";

pub(super) const BURSTS: &str = "All at once: Lambda starts an environment for each invocation that finds none free, so \
    what comes asynchronously is begun at once, as far as the account's concurrency goes (1,000), which requests and \
    tasks share: what comes last may be refused. From a queue tasks are fetched by pollers, which begin with five batches \
    at a time and grow; what waits in it can be seen, and be held back on purpose.";

pub(super) const LIMITS: &str = "This machine is no Region: the figures say how much of it a task takes in each way, and \
    what a way runs into first.";

pub(super) const COMPLEXITY: &str =
    "Whatever is there has to be understood, permitted, watched and paid for.";

/// What the single faults are.
pub(super) fn faults(results: &Results) -> String {
    format!(
        "Each fault by itself, in a deployment of its own, met by {} tasks. They were followed until they ended, or \
         until nothing had changed for two and a half minutes, which is longer than any pause between two attempts. A \
         task that was accepted and never ends is lost, whatever its record says.",
        results.settings.fault_tasks
    )
}

/// Where the costs come from.
pub(super) fn money(costs: &Costs) -> String {
    let [oldest, newest] = &costs.prices_as_of;
    format!(
        "Modelled, not measured: what a task makes each service do, times its price in {}, from infra/prices.toml, as of \
         {oldest} to {newest}. The ways that lose tasks are left out. The model takes for granted:",
        costs.region
    )
}

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

/// What the reader's own task was, and what came out of it.
pub(super) fn own_task(results: &Results) -> Vec<String> {
    let Some(plan) = &results.settings.own_task else {
        return Vec::new();
    };
    let owns = || {
        let measured = results.measured.iter();
        measured.filter_map(|measured| Some((measured.variant, measured.own_task.as_ref()?)))
    };
    let mut words = vec![format!(
        "{}, handed in one at a time, in turns, up to {} times or for {} s, and followed to its end.{}",
        as_code(&plan.task.to_string()),
        plan.rounds,
        plan.seconds,
        if results.platform == LOCAL {
            " In the first round the functions are cold. Neither CPU nor memory is limited here."
        } else {
            ""
        }
    )];
    let mut found = owns().filter_map(|(_, own)| own.result.as_ref());
    if let Some(first) = found.next() {
        let differ = found.any(|other| other != first) || owns().any(|(_, own)| own.results_differ);
        words.push(format!(
            "{}: {}.",
            if differ {
                "The results are not all the same; the first"
            } else {
                "The result"
            },
            as_code(&first.to_string())
        ));
    }
    for (variant, own) in owns() {
        if let Some((error, times)) = own.errors.iter().max_by_key(|(_, times)| **times) {
            let others = match own.errors.len() - 1 {
                0 => String::new(),
                others => format!(", and {others} other errors"),
            };
            words.push(format!(
                "It failed with {variant}, {times} times: {}{others}.",
                as_code(error)
            ));
        }
    }
    words
}

/// Between backticks, and short. Texts from elsewhere may hold what would end the code or the paragraph.
fn as_code(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut characters = text.chars().map(|character| match character {
        '`' => '\'',
        control if control.is_control() => ' ',
        other => other,
    });
    let mut code: String = characters.by_ref().take(LONGEST).collect();
    if characters.next().is_some() {
        code.push('…');
    }
    format!("`{code}`")
}

/// Where the figures of single changes come from, or how they are had.
pub(super) fn ablation(results: &Results) -> String {
    match &results.ablation {
        Some(ablation) => format!(
            "What each setting does for the cold start of self-invoke. These figures are from a run of its own, of the \
             same commit, on {}: `{COMMAND}`. The function was built with one thing changed at a time, and all were measured \
             in turns over TLS. All calls to AWS go to one address here; on AWS each service has its own.",
            ablation.created_at.strftime("%Y-%m-%d %H:%M UTC")
        ),
        None => format!(
            "What each setting does for the cold start of self-invoke was not measured at this commit. `{COMMAND}` does it, \
             and leaves the figures for the next comparison."
        ),
    }
}

/// How each figure was obtained: a term and its explanation.
pub(super) fn method(results: &Results) -> Vec<(&'static str, String)> {
    let settings = &results.settings;
    let rates: Vec<String> = settings.rates_per_second.iter().map(u32::to_string).collect();
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
                "{} times, after a pause of 200 ms: the API function's configuration is changed (its description), which retires its execution \
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
        (
            "Percentiles",
            "Nearest rank, from an HDR histogram with three significant digits. A percentile is left out where the \
             samples cannot show it: p99 below 100 samples, p99.9 below 1,000."
                .into(),
        ),
        (
            "Memory sizes",
            "In a deployment of its own, whose functions get after init no more CPU time than goes with their memory \
             (1,769 MB for one vCPU), given out every 20 ms: AWS does not say how often. A first invocation that needs \
             less than one such portion hardly notices. In all other deployments neither memory nor CPU time is limited."
                .into(),
        ),
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
             accepted task has not ended after a minute."
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

/// What must not be concluded.
pub(super) fn limits(results: &Results) -> &'static [&'static str] {
    if results.platform == LOCAL {
        &LOCAL_LIMITS
    } else {
        &DEPLOYED_LIMITS
    }
}

const LOCAL_LIMITS: [&str; 4] = [
    "The functions are built as those that go to AWS, but for the processor and the linker, and run as processes on this \
         machine. There is no network between client, API and services, no TLS, no Firecracker to boot and no code to fetch: \
         every absolute time is shorter than on AWS, cold starts most of all.",
    "The asynchronous queue and SQS are the local cloud's own. Their delays say how the variants use them, not how \
         long AWS takes.",
    "Functions, services and load generator share this machine's cores. What else runs on it shows in the figures.",
    "So: compare the variants with each other here; take absolute times from a deployment on AWS.",
];

const DEPLOYED_LIMITS: [&str; 4] = [
    "What the client measures contains the way between this machine and the Region, there and back. Times from records \
     and REPORT lines do not.",
    "The commit is that of the measuring side. What code the stacks run, and with which parameters, is up to who \
     deployed them.",
    "Functions and queues share AWS's hardware with others: repeat the run at another hour before you rely on a \
     difference.",
    "Cold starts by memory size, limits and single faults are measured on the local cloud alone.",
];

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
            ) + &format!(" of {} s", results.seconds),
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
