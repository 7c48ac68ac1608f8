//! The open-loop load, and whether its tasks did what they should.

use super::{Cell, Table, percentiles};
use crate::results::{BilledInvocation, Load, Measured, Results};
use crate::variant::Variant;

/// Accept latency under load.
pub(in crate::report) fn accept(results: &Results) -> Table {
    let floor = |load: &Load| {
        let floor = results.of(Variant::Noop)?.load_at(load.rate_per_second)?;
        Some(floor.accept_us.p50)
    };
    Table::new(
        "Answer latency under open-loop load, from when each request was due; synchronous answers when the task is done.",
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
            let above = floor(load).filter(|_| measured.variant.takes_tasks());
            let mut row = vec![
                Cell::variant(measured.variant),
                Cell::rate(load.rate_per_second),
                Cell::count(load.accepted),
                Cell::count(load.sent - load.accepted),
            ];
            row.extend(percentiles(&load.accept_us));
            row.push(Cell::or_dash(above, |floor| {
                Cell::difference(load.accept_us.p50, floor)
            }));
            row
        }),
    )
}

/// How soon the work starts under load, and how soon it is done.
pub(in crate::report) fn start(results: &Results) -> Table {
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
                Cell::variant(measured.variant),
                Cell::rate(load.rate_per_second),
                Cell::count(task.accepted_to_started_us.count),
            ];
            row.extend(percentiles(&task.accepted_to_started_us));
            row.push(Cell::time(task.accepted_to_finished_us.p50));
            Some(row)
        }),
    )
}

/// What warm functions are billed for, beyond the task itself.
pub(in crate::report) fn billed(results: &Results) -> Table {
    let cells = |invocation: Option<&BilledInvocation>| {
        [
            Cell::or_dash(invocation, |billed| Cell::count(billed.duration_ms.count)),
            Cell::or_dash(invocation, |BilledInvocation { duration_ms, .. }| {
                Cell::new(
                    format!("{} ({}–{}) ms", duration_ms.p50, duration_ms.min, duration_ms.max),
                    duration_ms.p50 as f64,
                )
            }),
            Cell::or_dash(invocation, |billed| {
                Cell::new(format!("{} MB", billed.memory_mb), billed.memory_mb as f64)
            }),
        ]
    };
    Table::new(
        "Billed durations of warm invocations with the empty task, by their REPORT lines: median (smallest–largest). The \
         worker's are those under load.",
        &[
            "Variant",
            "API: samples",
            "Billed",
            "Memory",
            "Worker: samples",
            "Billed",
            "Memory",
        ],
        results.measured.iter().filter_map(|measured| {
            let billed = measured.billed.as_ref()?;
            let mut row = vec![Cell::variant(measured.variant)];
            row.extend(cells(billed.api.as_ref()));
            row.extend(cells(billed.worker.as_ref()));
            Some(row)
        }),
    )
}

/// Whether the tasks did what they should.
pub(in crate::report) fn check(results: &Results) -> Table {
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
        results.measured.iter().filter_map(|measured| {
            let check = measured.check.as_ref()?;
            Some(vec![
                Cell::variant(measured.variant),
                Cell::count(check.accepted),
                Cell::count(check.succeeded()),
                Cell::count(check.accepted - check.succeeded()),
                Cell::count(check.repeated),
                Cell::count(check.picture.points_inside),
                Cell::text(
                    check
                        .picture
                        .sha256
                        .chars()
                        .take(16)
                        .chain(['…'])
                        .collect::<String>(),
                ),
            ])
        }),
    )
}

/// How well the load generator kept its schedule.
pub(in crate::report) fn generator(results: &Results) -> Table {
    Table::new(
        "How late the load generator was, from when a request was due to when it was sent.",
        &["Variant", "Rate", "Requests", "p50", "p90", "Max"],
        loads(results).map(|(measured, load)| {
            vec![
                Cell::variant(measured.variant),
                Cell::rate(load.rate_per_second),
                Cell::count(load.sent),
                Cell::time(load.lateness_us.p50),
                Cell::time(load.lateness_us.p90),
                Cell::time(load.lateness_us.max),
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
