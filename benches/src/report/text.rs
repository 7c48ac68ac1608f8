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

/// What the single faults are, where there were any.
pub(super) fn faults(results: &Results) -> Option<String> {
    let tasks = results.settings.fault_tasks;
    (tasks > 0).then(|| {
        format!(
            "Each fault by itself, in a deployment of its own, met by {tasks} tasks. They were followed until they ended, or \
             until nothing had changed for two and a half minutes, which is longer than any pause between two attempts; for \
             five minutes at most. A task that was accepted and has not ended then is lost, whatever its record says."
        )
    })
}

/// Where the costs come from.
pub(super) fn money(costs: &Costs) -> String {
    let [oldest, newest] = &costs.prices_as_of;
    format!(
        "Modelled, not measured: what a task makes each service do, times its price in {}, from infra/prices.toml, as of \
         {oldest} to {newest}. background is left out: nobody sees to it that its tasks end. The model takes for granted:",
        costs.region
    )
}

pub(super) const ACCEPT: &str = "How long a client waits for its 202 when everything is warm.";

pub(super) const START: &str = "How long an accepted task waits until its work begins. The tasks are those of the load \
    above, and do nothing: any other time is the hand-over's.";

pub(super) const CHECK: &str = "Fast means nothing if tasks get lost. Every task accepted under load was followed, up to a \
    minute after it, and each variant was to compute one picture, the same in all.";

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
