//! Bursts, and the rate at which each way gives.

use super::{Cell, Table};
use crate::results::Results;
use crate::saturation::Limit;

/// Many tasks at once.
pub(in crate::report) fn bursts(results: &Results) -> Option<Table> {
    let rows = results.measured.iter().filter_map(|measured| {
        let burst = measured.burst.as_ref()?;
        Some(vec![
            Cell::variant(measured.variant),
            Cell::count(burst.accepted),
            Cell::listed(&burst.refused, Clone::clone),
            Cell::count(burst.succeeded),
            Cell::time(burst.accept_us.p50),
            Cell::time(burst.accept_us.max),
            Cell::time(burst.all_started_us),
            Cell::time(burst.all_finished_us),
            Cell::count(burst.most_at_once),
            Cell::or_dash(burst.environments, Cell::count),
        ])
    });
    let table = Table::new(
        "Tasks of 1 s, all handed in at once. Started and finished: from the first one's being accepted to the last one's \
         start and end. Environments: how many were started meanwhile.",
        &[
            "Variant",
            "Accepted",
            "Not accepted",
            "Succeeded",
            "Answer, p50",
            "Answer, max",
            "All started",
            "All finished",
            "Most at once",
            "Environments",
        ],
        rows,
    );
    (!table.rows.is_empty()).then_some(table)
}

/// How far each way can be driven on this machine.
pub(in crate::report) fn limits(results: &Results) -> Option<Table> {
    let rows = results.measured.iter().filter_map(|measured| {
        let saturation = measured.saturation.as_ref()?;
        Some(vec![
            Cell::variant(measured.variant),
            Cell::rate(saturation.sustained_per_second),
            Cell::or_dash(saturation.first_missed_per_second, Cell::rate),
            Cell::text(match saturation.gave_first {
                Some(Limit::Refused) => "requests were refused",
                Some(Limit::SlowAccept) => "answers waited for each other",
                Some(Limit::SlowStart) => "accepted tasks waited for each other",
                Some(Limit::Generator) => "the load generator",
                Some(Limit::TasksLeft) => "accepted tasks had not ended after a minute",
                Some(Limit::Unreadable) => "the tasks' records could not be read",
                None => "nothing",
            }),
        ])
    });
    let table = Table::new(
        "The highest rate that each way kept up on this machine, and what gave first above it.",
        &["Variant", "Kept up", "Not kept up", "What gave first"],
        rows,
    );
    (!table.rows.is_empty()).then_some(table)
}

/// Every rate that was tried.
pub(in crate::report) fn steps(results: &Results) -> Option<Table> {
    let rows = results.measured.iter().flat_map(|measured| {
        let steps = measured
            .saturation
            .iter()
            .flat_map(|saturation| &saturation.steps);
        steps.map(|step| {
            vec![
                Cell::variant(measured.variant),
                Cell::rate(step.rate_per_second),
                Cell::count(step.sent),
                Cell::listed(&step.refused, Clone::clone),
                Cell::time(step.accept_p90_us),
                Cell::or_dash(step.start_p90_us, Cell::time),
            ]
        })
    });
    let table = Table::new(
        "The search for that rate: three seconds at each.",
        &[
            "Variant",
            "Rate",
            "Sent",
            "Not accepted",
            "Answer, p90",
            "Started, p90",
        ],
        rows,
    );
    (!table.rows.is_empty()).then_some(table)
}
