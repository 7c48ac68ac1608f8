//! The tables of a report, as rows of cells; each format draws them in its own way. One module for each thing that is
//! compared; here is what they are made of.

use std::collections::BTreeMap;

use super::format::{DASH, count, megabytes, range, spread, time};
use crate::results::Results;
use crate::statistics::Distribution;
use crate::variant::Variant;

mod ablation;
mod change;
mod cold;
mod design;
mod faults;
mod money;
mod own_task;
mod soak;
mod stress;
mod warm;

pub(super) use ablation::ablation;
pub(super) use change::changes;
pub(super) use cold::{by_memory, first_invocation, first_request};
pub(super) use design::{complexity, overview, permissions, sizes};
pub(super) use faults::single_faults;
pub(super) use money::{idle, months, per_million, prices};
pub(super) use own_task::own_task;
pub(super) use soak::{broken, soak};
pub(super) use stress::{bursts, limits, steps};
pub(super) use warm::{accept, billed, check, generator, start};

/// A table. The first column names a variant, or what else the row is about; the others hold figures.
pub(super) struct Table {
    pub(super) caption: String,
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// What stands in a table, and by what it is sorted.
pub(super) struct Cell {
    pub(super) text: String,
    pub(super) value: Option<f64>,
    /// The way that the cell names, if it names one.
    pub(super) variant: Option<Variant>,
}

impl Table {
    fn new(caption: &str, columns: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.iter().map(ToString::to_string).collect(),
            rows: rows.into_iter().collect(),
        }
    }

    /// Whether a column is for reading, not for comparing figures: it begins on the left.
    pub(super) fn has_words(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().map(|row| &row[column]);
        let no_figures = cells.clone().all(|cell| cell.value.is_none());
        column == 0 || (no_figures && cells.any(|cell| cell.text.starts_with(char::is_alphabetic)))
    }
}

impl Cell {
    fn new(text: String, value: f64) -> Self {
        Self {
            text,
            value: Some(value),
            variant: None,
        }
    }

    fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            value: None,
            variant: None,
        }
    }

    fn dash() -> Self {
        Self::text(DASH)
    }

    fn variant(variant: Variant) -> Self {
        Self {
            variant: Some(variant),
            ..Self::text(variant.name())
        }
    }

    fn count(number: u64) -> Self {
        Self::new(count(number), number as f64)
    }

    /// Of a time in microseconds.
    fn time(microseconds: u64) -> Self {
        Self::new(time(microseconds), microseconds as f64)
    }

    /// Of how much more time the first is than the second, in microseconds; a minus stands before what is less.
    fn difference(more: u64, than: u64) -> Self {
        let sign = if more < than { "−" } else { "" };
        let text = format!("{sign}{}", time(more.abs_diff(than)));
        Self::new(text, more as f64 - than as f64)
    }

    fn bytes(bytes: u64) -> Self {
        Self::new(megabytes(bytes), bytes as f64)
    }

    fn rate(rate_per_second: u32) -> Self {
        Self::new(
            format!("{}/s", count(rate_per_second.into())),
            rate_per_second.into(),
        )
    }

    /// A dash where there is nothing.
    fn or_dash<T>(thing: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        thing.map_or_else(Self::dash, cell)
    }

    /// The median, and the smallest and largest time.
    fn median_and_range(times: &Distribution) -> Self {
        Self::new(spread(times.p50, times.min, times.max), times.p50 as f64)
    }

    /// The median and the quartiles of times.
    fn median_and_quartiles(times: &Distribution) -> Self {
        Self::new(spread(times.p50, times.p25, times.p75), times.p50 as f64)
    }

    /// Each after its number.
    fn listed<T>(counts: &BTreeMap<T, u64>, name: impl Fn(&T) -> String) -> Self {
        if counts.is_empty() {
            return Self::dash();
        }
        let parts: Vec<String> = counts
            .iter()
            .map(|(what, number)| format!("{} {}", count(*number), name(what)))
            .collect();
        Self::text(parts.join(", "))
    }
}

/// Median, quartiles and tail of times.
fn percentiles(times: &Distribution) -> [Cell; 6] {
    [
        Cell::time(times.p50),
        Cell::new(range(times.p25, times.p75), times.p25 as f64),
        Cell::time(times.p90),
        Cell::or_dash(times.p99, Cell::time),
        Cell::or_dash(times.p99_9, Cell::time),
        Cell::time(times.max),
    ]
}

/// What was measured, in the order of the rows.
pub(super) fn ways(results: &Results) -> impl Iterator<Item = Variant> + '_ {
    results.measured.iter().map(|measured| measured.variant)
}
