//! `report.md`: the tables and the words, for a pull request or a wiki.

use std::fmt::Write;

use anyhow::Result;

use super::sections::sections;
use super::tables::{self, Table};
use super::{Report, method, text};
use crate::findings::{self, findings};
use crate::results::Results;
use crate::variant::Variant;
use crate::verdict::verdicts;
use crate::warnings::warnings;

pub(super) struct Markdown;

impl Report for Markdown {
    fn file_name(&self) -> &'static str {
        "report.md"
    }

    fn render(&self, results: &Results) -> Result<String> {
        let mut page = format!("# {}\n\n{}\n\n", text::TITLE, text::lead(results));
        summary(&mut page, results)?;
        for section in sections(results) {
            writeln!(page, "## {}\n", section.title)?;
            for words in &section.words {
                writeln!(page, "{words}\n")?;
            }
            for note in &section.notes {
                writeln!(page, "- {note}")?;
            }
            writeln!(page)?;
            for content in &section.tables {
                table(&mut page, content)?;
            }
        }
        method(&mut page, results)?;
        Ok(page)
    }
}

fn summary(page: &mut String, results: &Results) -> Result<()> {
    writeln!(page, "## Which one?\n")?;
    for verdict in verdicts(results) {
        let pick = verdict.pick.map_or("not decided", Variant::name);
        writeln!(
            page,
            "- **{}: {pick}.** {} *Rule: {}*",
            verdict.situation, verdict.because, verdict.rule
        )?;
    }
    writeln!(page, "\n## What was found\n")?;
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
            "There is no {} of {}:\n\n```text\n{}\n```\n",
            failure.what, failure.variant, failure.reason
        )?;
    }
    Ok(())
}

fn table(page: &mut String, table: &Table) -> Result<()> {
    writeln!(page, "{}\n", table.caption)?;
    writeln!(page, "| {} |", table.columns.join(" | "))?;
    let rule = |column| if table.has_words(column) { "---|" } else { "--:|" };
    let rules: String = (0..table.columns.len()).map(rule).collect();
    writeln!(page, "|{rules}")?;
    for row in &table.rows {
        let cells: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
        writeln!(page, "| {} |", cells.join(" | "))?;
    }
    writeln!(page)?;
    Ok(())
}

fn method(page: &mut String, results: &Results) -> Result<()> {
    writeln!(page, "## How it was measured\n")?;
    for (term, explanation) in method::method(results) {
        writeln!(page, "- **{term}:** {explanation}")?;
    }
    writeln!(page)?;
    table(page, &tables::generator(results))?;
    writeln!(page, "## What this run cannot show\n")?;
    for limit in text::limits(results) {
        writeln!(page, "- {limit}")?;
    }
    writeln!(page, "\n## Machine\n")?;
    for (term, value) in text::machine(results) {
        writeln!(page, "- **{term}:** {value}")?;
    }
    Ok(())
}
