//! Cold starts.

use super::{Cell, Table};
use crate::results::Results;

/// The API function's first invocation.
pub(in crate::report) fn first_invocation(results: &Results) -> Table {
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
        results.measured.iter().filter_map(|measured| {
            let first = measured.first_invocation()?;
            let memory = &first.max_memory_mb;
            Some(vec![
                Cell::variant(measured.variant),
                Cell::count(first.init_us.count),
                Cell::median_and_range(&first.init_us),
                Cell::median_and_range(&first.duration_us),
                Cell::median_and_range(&first.first_answer_us),
                Cell::new(
                    format!("{} ({}–{}) MB", memory.p50, memory.min, memory.max),
                    memory.p50 as f64,
                ),
            ])
        }),
    )
}

/// A first request over HTTP with every function cold.
pub(in crate::report) fn first_request(results: &Results) -> Table {
    Table::new(
        "First request over HTTP, every function cold: median (smallest–largest). The worker's init is from its REPORT \
         lines; there is none where it was still warm.",
        &[
            "Variant",
            "Samples",
            "Request to answer",
            "Accepted to started",
            "Request to started, at most",
            "Worker's init",
        ],
        results.measured.iter().filter_map(|measured| {
            let cold = measured.cold.as_ref()?;
            let task = cold.task.as_ref();
            Some(vec![
                Cell::variant(measured.variant),
                Cell::count(cold.accept_us.count),
                Cell::median_and_range(&cold.accept_us),
                Cell::or_dash(task, |task| Cell::median_and_range(&task.accepted_to_started_us)),
                Cell::or_dash(task, |task| Cell::median_and_range(&task.request_to_started_us)),
                Cell::or_dash(cold.worker_init_us.as_ref(), Cell::median_and_range),
            ])
        }),
    )
}

/// Cold starts by memory size; `None` where they were not measured.
pub(in crate::report) fn by_memory(results: &Results) -> Option<Table> {
    let rows = results.measured.iter().flat_map(|measured| {
        measured.cold_by_memory.iter().map(|by_memory| {
            let first = &by_memory.first_invocation;
            vec![
                Cell::variant(measured.variant),
                Cell::new(
                    format!(
                        "{} MB, {:.2}",
                        by_memory.memory_mb,
                        f64::from(by_memory.memory_mb) / MEMORY_OF_ONE_CPU
                    ),
                    by_memory.memory_mb.into(),
                ),
                Cell::count(first.init_us.count),
                Cell::median_and_range(&first.init_us),
                Cell::median_and_range(&first.duration_us),
                Cell::median_and_range(&first.first_answer_us),
                Cell::or_dash(by_memory.task.as_ref(), |task| {
                    Cell::median_and_range(&task.request_to_started_us)
                }),
            ]
        })
    });
    let table = Table::new(
        "Cold starts by the memory size of every function, with the CPU time that goes with it: the first invocation of the \
         API function, from the start of its process, and a first request over HTTP, to the start of its task; median \
         (smallest–largest). The last column includes what this system takes to limit each new environment: ten \
         milliseconds and more, which AWS does not have.",
        &[
            "Variant",
            "Memory, vCPUs",
            "Samples",
            "Init",
            "First invocation",
            "First answer",
            "Task started, at most",
        ],
        rows,
    );
    (!table.rows.is_empty()).then_some(table)
}

/// The memory that goes with one whole vCPU, in MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
const MEMORY_OF_ONE_CPU: f64 = 1_769.0;
