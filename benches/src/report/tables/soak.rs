//! Many tasks while everything breaks.

use std::collections::BTreeMap;

use super::{Cell, Table};
use crate::client::SUCCEEDED;
use crate::results::Results;
use crate::soak::Soak;

/// What became of the tasks that were handed in while things broke.
pub(in crate::report) fn soak(results: &Results) -> Table {
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
            let of = |counts: &BTreeMap<String, u64>, what: &str| {
                Cell::count(counts.get(what).copied().unwrap_or(0))
            };
            vec![
                variant,
                Cell::count(soak.accepted),
                of(&soak.ended, SUCCEEDED),
                of(&soak.ended, "failed"),
                Cell::count(soak.missing),
                Cell::count(soak.ended_twice),
                of(&soak.faults, "duplicate"),
                Cell::time(soak.finished_us.max),
                Cell::or_dash(soak.recovered_us.as_ref(), Cell::median_and_range),
            ]
        }),
    )
}

/// What broke, and what of it was to be seen from outside.
pub(in crate::report) fn broken(results: &Results) -> Table {
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
                Cell::listed(&soak.attempts, |attempts| format!("in {attempts}")),
                Cell::listed(&soak.faults, Clone::clone),
                Cell::listed(&soak.sent_again, Clone::clone),
                Cell::listed(&soak.failures, Clone::clone),
                Cell::count(soak.ended_silently),
            ]
        }),
    )
}

fn soaks(results: &Results) -> impl Iterator<Item = (Cell, &Soak)> {
    results
        .variants()
        .filter_map(|measured| Some((Cell::variant(measured.variant), measured.soak.as_ref()?)))
}
