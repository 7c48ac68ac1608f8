//! Single faults.

use super::{Cell, Table};
use crate::faults::Fault;
use crate::results::Results;

/// One fault, a row for each way that met it; `None` where none did.
fn fault(results: &Results, fault: Fault) -> Option<Table> {
    let rows = results.measured.iter().filter_map(|measured| {
        let run = measured.faults.iter().find(|run| run.fault == fault)?;
        Some(vec![
            Cell::variant(measured.variant),
            Cell::listed(&run.answers, Clone::clone),
            Cell::listed(&run.ended, Clone::clone),
            Cell::count(run.never_ended),
            Cell::listed(&run.errors, Clone::clone),
            Cell::listed(&run.attempts, |attempts| format!("in {attempts}")),
            Cell::or_dash(run.to_the_end_us.as_ref(), Cell::median_and_range),
            Cell::or_dash(run.recovered_us.as_ref(), Cell::median_and_range),
        ])
    });
    let table = Table::new(
        &format!("{fault}."),
        &[
            "Variant",
            "Clients saw",
            "Ended",
            "Never ended",
            "Errors",
            "Attempts",
            "To the end",
            "Recovered after",
        ],
        rows,
    );
    (!table.rows.is_empty()).then_some(table)
}

/// Every fault that was tried, a client that goes away first.
pub(in crate::report) fn single_faults(results: &Results) -> Vec<Table> {
    let faults = Fault::ALL.into_iter().filter_map(|kind| fault(results, kind));
    left_alone(results).into_iter().chain(faults).collect()
}

fn left_alone(results: &Results) -> Option<Table> {
    let rows = results.measured.iter().filter_map(|measured| {
        let quiet = measured.quiet.as_ref()?;
        Some(vec![
            Cell::variant(measured.variant),
            Cell::new(format!("{} s", quiet.seconds), quiet.seconds.into()),
            Cell::text(quiet.status.clone()),
            Cell::new(format!("{:.0} %", quiet.progress * 100.0), quiet.progress),
        ])
    });
    let table = Table::new(
        "The client goes away: how far a task that computes for some seconds had got without another request.",
        &["Variant", "After", "Status", "Recorded progress"],
        rows,
    );
    (!table.rows.is_empty()).then_some(table)
}
