//! `report.html`: one file that needs no network. Tables and words are those of the other formats; the charts are its
//! own, and so is the small script by which tables can be sorted. Without it everything can be read just the same.

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart::{Lines, Percentiles, Ranges, Series, legend};
use super::sections::{Chart, Section, Times, sections};
use super::tables::{self, Table};
use super::{Report, method, text};
use crate::findings::{self, findings};
use crate::results::Results;
use crate::verdict::verdicts;
use crate::warnings::warnings;

pub(super) struct Html;

impl Report for Html {
    fn file_name(&self) -> &'static str {
        "report.html"
    }

    fn render(&self, results: &Results) -> Result<String> {
        Ok(page(results).into_string())
    }
}

/// Of the page, and of charts that stand alone.
pub(super) const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("sort.js");

fn page(results: &Results) -> Markup {
    let sections = sections(results);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (text::TITLE) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(results, &sections))
                main {
                    (summary(results))
                    @for content in &sections { (section(content)) }
                    (method(results))
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn header(results: &Results, sections: &[Section<'_>]) -> Markup {
    html! {
        header {
            h1 { (text::TITLE) }
            p .lead { (text::lead(results)) }
            p .provenance {
                (results.created_at.strftime("%-d %B %Y, %H:%M UTC")) " · " (results.platform) " · "
                (if results.settings.quick { "quick run" } else { "full run" }) " · "
                (results.machine.cpu) ", " (results.machine.cores) " cores"
            }
            nav {
                @for section in sections { a href={ "#" (section.id) } { (section.title) } }
                a href="#method" { "Method" }
            }
        }
    }
}

fn summary(results: &Results) -> Markup {
    html! {
        section #verdict {
            h2 { "Which one?" }
            (cautions(results))
            dl .verdicts {
                @for verdict in verdicts(results) {
                    div {
                        dt { (verdict.situation) }
                        dd {
                            @match verdict.pick {
                                Some(pick) => b class=(pick) { (pick) },
                                None => b { "not decided" },
                            }
                            " " (verdict.because) " "
                            span .basis { "Rule: " (verdict.rule) }
                        }
                    }
                }
            }
        }
        section #summary {
            h2 { "What was found" }
            dl .findings {
                @for finding in findings(results) {
                    div {
                        dt { (finding.topic) }
                        dd { (finding.text) " " span .basis { (finding.basis) } }
                    }
                }
            }
            p .rule { (findings::RULE) }
            (table(&tables::overview(results)))
            ul .variants {
                @for variant in tables::ways(results) {
                    li { b class=(variant) { (variant) } ": " (variant.description()) "." }
                }
            }
        }
    }
}

fn cautions(results: &Results) -> Markup {
    let warnings = warnings(results);
    html! {
        @if !warnings.is_empty() {
            ul .warnings {
                @for warning in warnings {
                    li .fatal[warning.is_fatal()] { (warning) }
                }
            }
        }
        @for failure in &results.failures {
            details .failure {
                summary { "Why there is no " (failure.what) " of " (failure.variant) }
                pre { (failure.reason) }
            }
        }
    }
}

fn section(section: &Section<'_>) -> Markup {
    let pairs = section
        .charts
        .iter()
        .filter(|chart| matches!(chart, Chart::Ranges(_)));
    let others = section
        .charts
        .iter()
        .filter(|chart| !matches!(chart, Chart::Ranges(_)));
    html! {
        section id=(section.id) {
            h2 { (section.title) }
            @for words in &section.words { p { (prose(words)) } }
            @if !section.notes.is_empty() { ul .notes { @for note in &section.notes { li { (note) } } } }
            @if pairs.clone().next().is_some() {
                div .pair { @for chart in pairs { (draw(chart)) } }
                p .reading { (text::READING_RANGES) }
            }
            @for chart in others { (draw(chart)) }
            @for content in &section.tables { (table(content)) }
        }
    }
}

fn draw(chart: &Chart<'_>) -> Markup {
    match chart {
        Chart::Ranges(times) => ranges(times),
        Chart::Percentiles(times) => percentiles(times),
        Chart::Lines(lines) => drawn_lines(lines),
    }
}

fn series<'a>(times: &Times<'a>) -> Vec<Series<'a>> {
    let all = times.of.iter();
    all.map(|&(variant, times)| Series { variant, times }).collect()
}

/// Words in which backticks stand around code, as in Markdown.
fn prose(words: &str) -> Markup {
    html! {
        @for (place, part) in words.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The charts that are of use outside the page, each as a file: its name, and what is in it.
pub(super) fn chart_files(results: &Results) -> Vec<(String, String)> {
    let charts = sections(results).into_iter().flat_map(|section| section.charts);
    let files = charts.filter_map(|chart| match chart {
        Chart::Percentiles(times) if !times.of.is_empty() => {
            let (id, title, series) = (times.id, &times.title, &series(&times));
            Some((format!("{id}.svg"), Percentiles { id, title, series }.file()))
        }
        Chart::Lines(lines) => Some((format!("{}.svg", lines.id), lines.file())),
        Chart::Percentiles(_) | Chart::Ranges(_) => None,
    });
    files.collect()
}

fn ranges(times: &Times<'_>) -> Markup {
    html! {
        @if !times.of.is_empty() {
            figure {
                figcaption { (times.title) }
                (Ranges { id: times.id, title: &times.title, series: &series(times) }.render())
            }
        }
    }
}

fn percentiles(times: &Times<'_>) -> Markup {
    html! {
        @if !times.of.is_empty() {
            figure {
                figcaption { (times.title) }
                (legend(times.of.iter().map(|(variant, _)| *variant)))
                (Percentiles { id: times.id, title: &times.title, series: &series(times) }.render())
                p .reading { (text::READING_PERCENTILES) }
            }
        }
    }
}

fn drawn_lines(lines: &Lines) -> Markup {
    html! {
        figure {
            figcaption { (lines.title) }
            (legend(lines.series.iter().map(|line| line.variant)))
            (lines.render())
        }
    }
}

/// The caption stands outside the part that scrolls, so that it can be read on a narrow screen.
fn table(table: &Table) -> Markup {
    let words = |column| table.has_words(column).then_some("words");
    html! {
        p .caption { (table.caption) }
        div .table .small[table.columns.len() <= 3] tabindex="0" role="region" aria-label=(table.caption) {
            table {
                thead { tr {
                    @for (column, name) in table.columns.iter().enumerate() {
                        th class=[words(column)] scope="col" { (name) }
                    }
                } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @if column == 0 {
                                    th scope="row" class=[cell.variant] { (cell.text) }
                                } @else {
                                    td class=[words(column)] data-value=[cell.value] { (cell.text) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn method(results: &Results) -> Markup {
    html! {
        section #method {
            h2 { "How it was measured" }
            (terms(method::method(results)))
            (table(&tables::generator(results)))
            h2 { "What this run cannot show" }
            ul { @for limit in text::limits(results) { li { (limit) } } }
            h2 { "Machine" }
            (terms(text::machine(results)))
        }
    }
}

fn terms(terms: Vec<(&'static str, String)>) -> Markup {
    html! {
        dl .terms { @for (term, explanation) in terms { div { dt { (term) } dd { (explanation) } } } }
    }
}
