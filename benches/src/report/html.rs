//! `report.html`: one file that needs neither network nor script. Tables and words are those of the other formats;
//! the charts are its own.

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::chart::{Percentiles, Ranges, Series, legend};
use super::tables::{self, Table};
use super::{Report, text};
use crate::findings::{self, findings};
use crate::results::{Measured, Results};
use crate::statistics::Distribution;
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

const STYLE: &str = include_str!("style.css");

fn page(results: &Results) -> Markup {
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
                (header(results))
                main {
                    (summary(results))
                    (cold(results))
                    (accept(results))
                    (start(results))
                    (section("correctness", "Correctness", text::CHECK, &html! { (table(&tables::check(results))) }))
                    @if let Some(intro) = text::soak(results) {
                        (section("reliability", "Reliability", &intro, &html! {
                            (table(&tables::soak(results)))
                            (table(&tables::faults(results)))
                        }))
                    }
                    (section("size", "Size", "", &html! { (table(&tables::sizes(results))) }))
                    (method(results))
                }
            }
        }
    }
}

fn header(results: &Results) -> Markup {
    html! {
        header {
            h1 { (text::TITLE) }
            p .lead { (text::LEAD) }
            p .provenance {
                (results.created_at.strftime("%-d %B %Y, %H:%M UTC")) " · " (results.platform) " · "
                (if results.settings.quick { "quick run" } else { "full run" }) " · "
                (results.machine.cpu) ", " (results.machine.cores) " cores"
            }
            nav {
                @for (id, title) in [
                    ("cold", "Cold start"), ("accept", "Accepting"), ("start", "Starting"),
                    ("correctness", "Correctness"), ("reliability", "Reliability"), ("size", "Size"),
                    ("method", "Method"),
                ].iter().filter(|(id, _)| *id != "reliability" || results.settings.soak.is_some()) {
                    a href={ "#" (id) } { (title) }
                }
            }
        }
    }
}

fn summary(results: &Results) -> Markup {
    html! {
        section #summary {
            h2 { "Summary" }
            (cautions(results))
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
                @for measured in &results.measured {
                    li { b class=(measured.variant) { (measured.variant) } ": " (measured.variant.description()) "." }
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
                summary { "Why " (failure.variant) " could not be measured" }
                pre { (failure.reason) }
            }
        }
    }
}

fn cold(results: &Results) -> Markup {
    let first_answer = series(results, |measured| Some(&measured.cold.first_answer_us));
    let first_task = series(results, |measured| {
        Some(&measured.cold.task.as_ref()?.request_to_started_us)
    });
    section(
        "cold",
        "Cold start",
        text::COLD,
        &html! {
            div .pair {
                (ranges("first-answer", "API function: from the start of its process to the first answer", &first_answer))
                (ranges("first-task", "Everything cold: from request to start of its task, at most", &first_task))
            }
            p .reading { "Bars end at the median; the line reaches from the smallest to the largest sample; each dot is a sample." }
            (table(&tables::first_invocation(results)))
            (table(&tables::first_request(results)))
        },
    )
}

fn accept(results: &Results) -> Markup {
    let rate = results.settings.reference_rate();
    let accept = series(results, |measured| Some(&measured.load_at(rate)?.accept_us));
    section(
        "accept",
        "Accepting a task",
        text::ACCEPT,
        &html! {
            (percentiles("accept-curve", "From when a request was due to its 202", rate, &accept))
            (table(&tables::accept(results)))
        },
    )
}

fn start(results: &Results) -> Markup {
    let rate = results.settings.reference_rate();
    let start = series(results, |measured| {
        Some(&measured.load_at(rate)?.task.as_ref()?.accepted_to_started_us)
    });
    section(
        "start",
        "Starting the work",
        text::START,
        &html! {
            (percentiles("start-curve", "From a task's being accepted to its start", rate, &start))
            (table(&tables::start(results)))
        },
    )
}

fn series<'a>(
    results: &'a Results,
    figure: impl Fn(&'a Measured) -> Option<&'a Distribution>,
) -> Vec<Series<'a>> {
    let series = |measured: &'a Measured| {
        Some(Series {
            variant: measured.variant,
            times: figure(measured)?,
        })
    };
    results.measured.iter().filter_map(series).collect()
}

fn ranges(id: &'static str, title: &'static str, series: &[Series<'_>]) -> Markup {
    html! {
        @if !series.is_empty() {
            figure {
                figcaption { (title) }
                (Ranges { id, title, series }.render())
            }
        }
    }
}

fn percentiles(id: &'static str, title: &'static str, rate: u32, series: &[Series<'_>]) -> Markup {
    html! {
        @if !series.is_empty() {
            figure {
                figcaption { (title) ", at " (rate) " requests/s" }
                (legend(series))
                (Percentiles { id, title, series }.render())
                p .reading {
                    "Read a curve at 99 %: of a hundred samples, all but the slowest took at most that long. \
                     The time axis is logarithmic."
                }
            }
        }
    }
}

fn section(id: &str, title: &str, intro: &str, content: &Markup) -> Markup {
    html! {
        section id=(id) {
            h2 { (title) }
            @if !intro.is_empty() { p { (intro) } }
            (content)
        }
    }
}

/// The caption stands outside the part that scrolls, so that it can be read on a narrow screen.
fn table(table: &Table) -> Markup {
    html! {
        p .caption { (table.caption) }
        div .table .small[table.columns.len() <= 3] tabindex="0" role="region" aria-label=(table.caption) {
            table {
                thead { tr { @for column in &table.columns { th scope="col" { (column) } } } }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (column, cell) in row.iter().enumerate() {
                                @if column == 0 { th scope="row" class=(cell) { (cell) } } @else { td { (cell) } }
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
            (terms(text::method(results)))
            (table(&tables::generator(results)))
            h2 { "What this run cannot show" }
            ul { @for limit in text::limits() { li { (limit) } } }
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
