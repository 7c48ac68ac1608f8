//! `report.md`: the tables and the words, for a pull request or a wiki.

use std::fmt::Write;

use anyhow::Result;

use super::tables::{self, Table};
use super::{Report, text};
use crate::findings::{self, findings};
use crate::results::Results;
use crate::warnings::warnings;

pub(super) struct Markdown;

impl Report for Markdown {
    fn file_name(&self) -> &'static str {
        "report.md"
    }

    fn render(&self, results: &Results) -> Result<String> {
        let mut page = format!("# {}\n\n{}\n\n", text::TITLE, text::LEAD);
        summary(&mut page, results)?;
        section(
            &mut page,
            "Cold start",
            text::COLD,
            &[tables::first_invocation(results), tables::first_request(results)],
        )?;
        section(
            &mut page,
            "Accepting a task",
            text::ACCEPT,
            &[tables::accept(results)],
        )?;
        section(
            &mut page,
            "Starting the work",
            text::START,
            &[tables::start(results)],
        )?;
        section(&mut page, "Correctness", text::CHECK, &[tables::check(results)])?;
        if let Some(soak) = text::soak(results) {
            section(
                &mut page,
                "Reliability",
                &soak,
                &[tables::soak(results), tables::faults(results)],
            )?;
        }
        section(&mut page, "Size", "", &[tables::sizes(results)])?;
        method(&mut page, results)?;
        Ok(page)
    }
}

fn summary(page: &mut String, results: &Results) -> Result<()> {
    table(page, &tables::overview(results))?;
    for finding in findings(results) {
        writeln!(
            page,
            "- **{}:** {} *{}*",
            finding.topic, finding.text, finding.basis
        )?;
    }
    writeln!(page, "\n*{}*\n", findings::RULE)?;
    for warning in warnings(results) {
        writeln!(page, "> **Note:** {warning}\n")?;
    }
    for failure in &results.failures {
        writeln!(
            page,
            "{} failed:\n\n```text\n{}\n```\n",
            failure.variant, failure.reason
        )?;
    }
    Ok(())
}

fn section(page: &mut String, title: &str, intro: &str, tables: &[Table]) -> Result<()> {
    writeln!(page, "## {title}\n")?;
    if !intro.is_empty() {
        writeln!(page, "{intro}\n")?;
    }
    tables.iter().try_for_each(|content| table(page, content))
}

fn table(page: &mut String, table: &Table) -> Result<()> {
    writeln!(page, "{}\n", table.caption)?;
    writeln!(page, "| {} |", table.columns.join(" | "))?;
    writeln!(page, "|---|{}", "--:|".repeat(table.columns.len() - 1))?;
    for row in &table.rows {
        writeln!(page, "| {} |", row.join(" | "))?;
    }
    writeln!(page)?;
    Ok(())
}

fn method(page: &mut String, results: &Results) -> Result<()> {
    writeln!(page, "## How it was measured\n")?;
    for (term, explanation) in text::method(results) {
        writeln!(page, "- **{term}:** {explanation}")?;
    }
    writeln!(page)?;
    table(page, &tables::generator(results))?;
    writeln!(page, "## What this run cannot show\n")?;
    for limit in text::limits() {
        writeln!(page, "- {limit}")?;
    }
    writeln!(page, "\n## Machine\n")?;
    for (term, value) in text::machine(results) {
        writeln!(page, "- **{term}:** {value}")?;
    }
    Ok(())
}
