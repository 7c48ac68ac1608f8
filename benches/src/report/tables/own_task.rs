//! The reader's own task.

use super::{Cell, Table};
use crate::report::format::dollars;
use crate::results::Results;

/// What became of it in each way; `None` where there was none.
pub(in crate::report) fn own_task(results: &Results) -> Option<Table> {
    let rows: Vec<_> = results
        .measured
        .iter()
        .filter_map(|measured| {
            let own = measured.own_task.as_ref()?;
            let times = |times| Cell::or_dash(times, Cell::median_and_range);
            Some(vec![
                Cell::variant(measured.variant),
                Cell::count(own.sent),
                Cell::listed(&own.ended, Clone::clone),
                Cell::listed(&own.refused, Clone::clone),
                times(own.accept_us.as_ref()),
                times(own.accepted_to_started_us.as_ref()),
                times(own.started_to_finished_us.as_ref()),
                times(own.accepted_to_finished_us.as_ref()),
                Cell::or_dash(own.max_memory_used_mb.as_ref(), |memory| {
                    Cell::new(format!("{} MB", memory.max), memory.max as f64)
                }),
                Cell::or_dash(own.usd_per_million, |usd| Cell::new(dollars(usd), usd)),
            ])
        })
        .collect();
    let table = || {
        Table::new(
            "Your task: median (smallest–largest), of those that succeeded. Memory: the most that a worker's environment \
             had used. A million: modelled for a task that waits, without what is paid for while nobody uses it; see Money. \
             With 256 MB one that computes has a seventh of a vCPU on AWS, and takes and costs several times as much.",
            &[
                "Variant",
                "Sent",
                "Ended",
                "Not acc.",
                "Answers",
                "Accepted to started",
                "Works for",
                "Accepted to ended",
                "Memory",
                "A million, if it waits",
            ],
            rows,
        )
    };
    results.settings.own_task.is_some().then(table)
}
