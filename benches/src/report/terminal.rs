//! What is printed at the end: the overview, the verdicts, the findings and the warnings.

use std::fmt::Write;

use anyhow::Result;

use super::tables::{self, Table};
use crate::ablation::Ablation;
use crate::findings::findings;
use crate::results::Results;
use crate::variant::Variant;
use crate::verdict::verdicts;
use crate::warnings::warnings;

/// The results in a few lines.
///
/// # Errors
/// Never in practice; writing to a string is fallible in type only.
pub fn summary(results: &Results) -> Result<String> {
    let mut text = String::new();
    table(&mut text, &tables::overview(results))?;
    if let Some(own_task) = tables::own_task(results) {
        table(&mut text, &own_task)?;
    }
    if let Some(changes) = &results.changes {
        table(&mut text, &tables::changes(changes))?;
    }
    for verdict in verdicts(results) {
        let pick = verdict.pick.map_or("not decided", Variant::name);
        writeln!(text, "{}: {pick}. {}", verdict.situation, verdict.because)?;
    }
    writeln!(text)?;
    for finding in findings(results) {
        writeln!(text, "{}: {}", finding.topic, finding.text)?;
    }
    for warning in warnings(results) {
        writeln!(text, "Note: {warning}")?;
    }
    // They were said when they came, and have scrolled away since.
    for failure in &results.failures {
        writeln!(text, "{}: {}: {}", failure.variant, failure.what, failure.reason)?;
    }
    Ok(text)
}

/// What makes a cold start fast, in the tables of the report.
///
/// # Errors
/// Never in practice, as with [`summary`].
pub fn ablation(ablation: &Ablation) -> Result<String> {
    let mut text = String::new();
    for content in tables::ablation(ablation) {
        table(&mut text, &content)?;
    }
    Ok(text)
}

fn table(text: &mut String, table: &Table) -> Result<()> {
    let width = |column: usize| {
        let cells = table
            .rows
            .iter()
            .map(|row| row[column].text.as_str())
            .chain([table.columns[column].as_str()]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let header: Vec<&str> = table.columns.iter().map(String::as_str).collect();
    let rows = table.rows.iter();
    let rows = rows.map(|row| row.iter().map(|cell| cell.text.as_str()).collect());
    for row in [header].into_iter().chain(rows) {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let gap = if column == 0 { "" } else { "  " };
            if table.has_words(column) {
                write!(text, "{gap}{cell:<width$}")?;
            } else {
                write!(text, "{gap}{cell:>width$}")?;
            }
        }
        writeln!(text)?;
    }
    writeln!(text, "{}\n", table.caption)?;
    Ok(())
}
