//! The tables of a report, as plain rows of text; each format draws them in its own way.

use std::collections::BTreeMap;

use super::format::{DASH, count, megabytes, optional_time, range, spread, time};
use crate::results::{Load, Measured, Results};
use crate::soak::Soak;
use crate::statistics::Distribution;
use crate::variant::Variant;

/// A table. The first column names the variant; the others hold figures.
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) columns: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    fn new(caption: &str, columns: &[&'static str], rows: impl Iterator<Item = Vec<String>>) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.to_vec(),
            rows: rows.collect(),
        }
    }
}

/// The figures that matter most, a row for each variant.
pub(super) fn overview(results: &Results) -> Table {
    let settings = &results.settings;
    let rate = settings.reference_rate();
    let caption = format!(
        "Median (quartiles). Warm: {rate} requests/s, {} requests each. Cold: {} starts of each kind.",
        count((rate * settings.seconds_per_rate).into()),
        settings.cold_starts,
    );
    let columns = [
        "Variant",
        "Accepts (202)",
        "Starts work",
        "Cold: first 202",
        "Cold: task started",
        "Binaries",
    ];
    let row = |measured: &Measured| {
        let load = measured.load_at(rate);
        let task = load.and_then(|load| load.task.as_ref());
        let cold_task = measured.cold.task.as_ref();
        vec![
            measured.variant.to_string(),
            median_and_quartiles(load.map(|load| &load.accept_us)),
            median_and_quartiles(task.map(|task| &task.accepted_to_started_us)),
            median_and_quartiles(Some(&measured.cold.first_answer_us)),
            median_and_quartiles(cold_task.map(|task| &task.request_to_started_us)),
            megabytes(measured.binaries.iter().map(|binary| binary.bytes).sum()),
        ]
    };
    Table::new(&caption, &columns, results.measured.iter().map(row))
}

/// The API function's first invocation.
pub(super) fn first_invocation(results: &Results) -> Table {
    Table::new(
        "First invocation of the API function, by its REPORT line: median (smallest–largest).",
        &[
            "Variant",
            "Samples",
            "Init",
            "First invocation",
            "Start to first answer",
            "Memory used",
        ],
        results.measured.iter().map(|measured| {
            let cold = &measured.cold;
            vec![
                measured.variant.to_string(),
                count(cold.init_us.count),
                median_and_range(&cold.init_us),
                median_and_range(&cold.duration_us),
                median_and_range(&cold.first_answer_us),
                format!(
                    "{} ({}–{}) MB",
                    cold.max_memory_mb.p50, cold.max_memory_mb.min, cold.max_memory_mb.max
                ),
            ]
        }),
    )
}

/// A first request over HTTP with every function cold.
pub(super) fn first_request(results: &Results) -> Table {
    Table::new(
        "First request over HTTP, every function cold: median (smallest–largest).",
        &[
            "Variant",
            "Samples",
            "Request to answer",
            "Accepted to started",
            "Request to started, at most",
        ],
        results.measured.iter().map(|measured| {
            let task = measured.cold.task.as_ref();
            let dash = || DASH.to_owned();
            vec![
                measured.variant.to_string(),
                count(measured.cold.accept_us.count),
                median_and_range(&measured.cold.accept_us),
                task.map_or_else(dash, |task| median_and_range(&task.accepted_to_started_us)),
                task.map_or_else(dash, |task| median_and_range(&task.request_to_started_us)),
            ]
        }),
    )
}

/// Accept latency under load.
pub(super) fn accept(results: &Results) -> Table {
    let floor = |load: &Load| {
        Some(
            results
                .of(Variant::Noop)?
                .load_at(load.rate_per_second)?
                .accept_us
                .p50,
        )
    };
    Table::new(
        "Accept latency under open-loop load, from when each request was due.",
        &[
            "Variant",
            "Rate",
            "Accepted",
            "Not acc.",
            "p50",
            "p25–p75",
            "p90",
            "p99",
            "p99.9",
            "Max",
            "Above floor",
        ],
        loads(results).map(|(measured, load)| {
            let above = floor(load).filter(|_| measured.variant.runs_tasks());
            let mut row = vec![
                measured.variant.to_string(),
                format!("{}/s", load.rate_per_second),
                count(load.accepted),
                count(load.sent - load.accepted),
            ];
            row.extend(percentiles(&load.accept_us));
            row.push(optional_time(
                above.map(|floor| load.accept_us.p50.saturating_sub(floor)),
            ));
            row
        }),
    )
}

/// How soon the work starts under load, and how soon it is done.
pub(super) fn start(results: &Results) -> Table {
    Table::new(
        "From accepted to started, by the tasks' records; the last column is from accepted to finished.",
        &[
            "Variant",
            "Rate",
            "Tasks",
            "p50",
            "p25–p75",
            "p90",
            "p99",
            "p99.9",
            "Max",
            "Finished, p50",
        ],
        loads(results).filter_map(|(measured, load)| {
            let task = load.task.as_ref()?;
            let mut row = vec![
                measured.variant.to_string(),
                format!("{}/s", load.rate_per_second),
                count(task.accepted_to_started_us.count),
            ];
            row.extend(percentiles(&task.accepted_to_started_us));
            row.push(time(task.accepted_to_finished_us.p50));
            Some(row)
        }),
    )
}

/// Whether the tasks did what they should.
pub(super) fn check(results: &Results) -> Table {
    Table::new(
        "How the accepted tasks ended, and what one with a known result computed.",
        &[
            "Variant",
            "Accepted",
            "Succeeded",
            "Otherwise",
            "More than one attempt",
            "Points inside",
            "SHA-256",
        ],
        results.variants().filter_map(|measured| {
            let check = measured.check.as_ref()?;
            let succeeded = check.ended.get("succeeded").copied().unwrap_or(0);
            Some(vec![
                measured.variant.to_string(),
                count(check.accepted),
                count(succeeded),
                count(check.accepted - succeeded),
                count(check.repeated),
                count(check.picture.points_inside),
                check.picture.sha256.chars().take(16).chain(['…']).collect(),
            ])
        }),
    )
}

/// What became of the tasks that were handed in while things broke.
pub(super) fn soak(results: &Results) -> Table {
    Table::new(
        "Tasks handed in while things broke. Duplicates: deliveries that were made twice without an error. \
         Longest: from accepted to its end; recovery: the same for tasks that took more than one attempt, median \
         (smallest–largest).",
        &[
            "Variant",
            "Accepted",
            "Succeeded",
            "Failed",
            "Missing",
            "Ended twice",
            "Duplicates",
            "Longest",
            "Recovery",
        ],
        soaks(results).map(|(variant, soak)| {
            let of =
                |counts: &BTreeMap<String, u64>, what: &str| count(counts.get(what).copied().unwrap_or(0));
            vec![
                variant,
                count(soak.accepted),
                of(&soak.ended, "succeeded"),
                of(&soak.ended, "failed"),
                count(soak.missing),
                count(soak.ended_twice),
                of(&soak.faults, "duplicate"),
                time(soak.finished_us.max),
                soak.recovered_us
                    .as_ref()
                    .map_or_else(|| DASH.into(), median_and_range),
            ]
        }),
    )
}

/// What broke, and what of it was to be seen from outside.
pub(super) fn faults(results: &Results) -> Table {
    Table::new(
        "What broke. Sent again: requests that were not accepted at once, by their answer. Silent: tasks whose end is \
         recorded but not logged, because the worker was killed in between.",
        &[
            "Variant",
            "Attempts",
            "Faults",
            "Sent again",
            "Failures",
            "Silent",
        ],
        soaks(results).map(|(variant, soak)| {
            vec![
                variant,
                listed(&soak.attempts, |attempts| format!("{attempts}×")),
                listed(&soak.faults, Clone::clone),
                listed(&soak.sent_again, Clone::clone),
                listed(&soak.failures, Clone::clone),
                count(soak.ended_silently),
            ]
        }),
    )
}

fn soaks(results: &Results) -> impl Iterator<Item = (String, &Soak)> {
    results
        .variants()
        .filter_map(|measured| Some((measured.variant.to_string(), measured.soak.as_ref()?)))
}

/// Each with its number.
fn listed<T>(counts: &BTreeMap<T, u64>, name: impl Fn(&T) -> String) -> String {
    if counts.is_empty() {
        return DASH.into();
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(what, number)| format!("{} {}", name(what), count(*number)))
        .collect();
    parts.join(", ")
}

/// The sizes of the binaries.
pub(super) fn sizes(results: &Results) -> Table {
    Table::new(
        "Release binaries, before compression; 1 MB is a million bytes.",
        &["Variant", "Binary", "Size"],
        results.measured.iter().flat_map(|measured| {
            measured.binaries.iter().map(|binary| {
                vec![
                    measured.variant.to_string(),
                    binary.name.clone(),
                    megabytes(binary.bytes),
                ]
            })
        }),
    )
}

/// How well the load generator kept its schedule.
pub(super) fn generator(results: &Results) -> Table {
    Table::new(
        "How late the load generator was, from when a request was due to when it was sent.",
        &["Variant", "Rate", "Requests", "p50", "p90", "Max"],
        loads(results).map(|(measured, load)| {
            vec![
                measured.variant.to_string(),
                format!("{}/s", load.rate_per_second),
                count(load.sent),
                time(load.lateness_us.p50),
                time(load.lateness_us.p90),
                time(load.lateness_us.max),
            ]
        }),
    )
}

fn loads(results: &Results) -> impl Iterator<Item = (&Measured, &Load)> {
    results
        .measured
        .iter()
        .flat_map(|measured| measured.load.iter().map(move |load| (measured, load)))
}

fn percentiles(times: &Distribution) -> [String; 6] {
    [
        time(times.p50),
        range(times.p25, times.p75),
        time(times.p90),
        optional_time(times.p99),
        optional_time(times.p99_9),
        time(times.max),
    ]
}

fn median_and_range(times: &Distribution) -> String {
    spread(times.p50, times.min, times.max)
}

fn median_and_quartiles(times: Option<&Distribution>) -> String {
    times.map_or_else(|| DASH.into(), |times| spread(times.p50, times.p25, times.p75))
}
