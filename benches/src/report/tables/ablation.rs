//! What makes a cold start fast.

use super::{Cell, Table};
use crate::ablation::{Ablated, Ablation, UNCHANGED};

const COLUMNS: [&str; 8] = [
    "Changed",
    "Samples",
    "Init",
    "of unchanged",
    "Start to first answer",
    "of unchanged",
    "Memory used",
    "Binary",
];

/// The rows, and those with the CPU share of 128 MB where it could be imposed.
pub(in crate::report) fn ablation(ablation: &Ablation) -> Vec<Table> {
    let all = table(
        "Cold starts of self-invoke over TLS with one thing changed, as much CPU as the machine has: median (quartiles).",
        &ablation.rows,
    );
    let some = table(
        "The same with 128 MB and, after init, the CPU time that goes with it: median (quartiles).",
        &ablation.with_128_mb,
    );
    [all, some].into_iter().flatten().collect()
}

fn table(caption: &str, rows: &[Ablated]) -> Option<Table> {
    let unchanged = &rows.iter().find(|row| row.name == UNCHANGED)?.first_invocation;
    Some(Table::new(
        caption,
        &COLUMNS,
        rows.iter().map(|row| {
            let first = &row.first_invocation;
            let memory = &first.max_memory_mb;
            vec![
                Cell::text(&row.change),
                Cell::count(first.init_us.count),
                Cell::median_and_quartiles(&first.init_us),
                ratio(first.init_us.p50, unchanged.init_us.p50),
                Cell::median_and_quartiles(&first.first_answer_us),
                ratio(first.first_answer_us.p50, unchanged.first_answer_us.p50),
                Cell::new(
                    format!("{} ({}–{}) MB", memory.p50, memory.p25, memory.p75),
                    memory.p50 as f64,
                ),
                Cell::bytes(row.binary_bytes),
            ]
        }),
    ))
}

fn ratio(of: u64, to: u64) -> Cell {
    let ratio = of as f64 / to.max(1) as f64;
    Cell::new(format!("{ratio:.2}×"), ratio)
}
