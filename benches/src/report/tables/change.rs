//! What changed since an earlier run.

use super::{Cell, Table};
use crate::change::{Changes, Kind};
use crate::report::format::percent;

/// Every figure that both runs have.
pub(in crate::report) fn changes(changes: &Changes) -> Table {
    Table::new(
        &format!("Medians of the run of {}, and of this one.", changes.since),
        &["Variant", "Figure", "Before", "Now", "Change", "Verdict"],
        changes.changes.iter().map(|change| {
            vec![
                Cell::variant(change.variant),
                Cell::text(change.figure.clone()),
                Cell::time(change.before_us),
                Cell::time(change.after_us),
                Cell::new(percent(change.growth()), change.growth()),
                Cell::text(match change.kind {
                    Kind::Faster => "faster",
                    Kind::Slower => "slower",
                    Kind::Noise => "noise",
                }),
            ]
        }),
    )
}
