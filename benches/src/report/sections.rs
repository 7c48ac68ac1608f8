//! What the report consists of, in its order: the one list that every format goes through. A section has words, charts
//! and tables; a format that cannot draw leaves the charts out.

use super::chart::{Axis, Line, Lines};
use super::format::{dollars, magnitude, task_length};
use super::tables::{self, Table};
use super::text;
use crate::change::{self, Changes};
use crate::cost::{self, Costs, REFERENCE_SECONDS, TASKS_PER_MONTH};
use crate::place::LOCAL;
use crate::results::{Measured, Results};
use crate::statistics::Distribution;
use crate::variant::Variant;

/// A part of the report.
pub(super) struct Section<'a> {
    /// For links; unique in the page.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) words: Vec<String>,
    /// What has to be taken into account, as a list.
    pub(super) notes: Vec<String>,
    pub(super) charts: Vec<Chart<'a>>,
    pub(super) tables: Vec<Table>,
}

/// A chart of a section.
pub(super) enum Chart<'a> {
    /// A bar for each way, of a few samples.
    Ranges(Times<'a>),
    /// A curve for each way, of many samples.
    Percentiles(Times<'a>),
    /// Lines.
    Lines(Lines),
}

/// The times that a chart shows of each way.
pub(super) struct Times<'a> {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) of: Vec<(Variant, &'a Distribution)>,
}

/// The sections of these results, those left out of which nothing was measured.
pub(super) fn sections(results: &Results) -> Vec<Section<'_>> {
    let sections = [
        results.changes.as_ref().map(changes),
        own_task(results),
        Some(cold(results)),
        ablation(results),
        Some(accept(results)),
        Some(start(results)),
        bursts(results),
        limits(results),
        faults(results),
        soak(results),
        Some(correctness(results)),
        results.costs.as_ref().map(money),
        complexity(results),
    ];
    sections.into_iter().flatten().collect()
}

fn changes(changes: &Changes) -> Section<'_> {
    let mut words = vec![change::RULE.to_owned()];
    words.extend(
        (!changes.circumstances.is_empty())
            .then(|| format!("Between the runs there is {}.", changes.circumstances.join("; "))),
    );
    Section {
        id: "changes",
        title: "What changed",
        words,
        notes: Vec::new(),
        charts: Vec::new(),
        tables: vec![tables::changes(changes)],
    }
}

fn own_task(results: &Results) -> Option<Section<'_>> {
    let table = tables::own_task(results)?;
    Some(Section {
        id: "own-task",
        title: "Your task",
        words: text::own_task(results),
        notes: Vec::new(),
        charts: vec![Chart::Ranges(times(
            "own-task-end",
            "From your task's being accepted to its end".into(),
            results.measured.iter(),
            |measured| measured.own_task.as_ref()?.accepted_to_finished_us.as_ref(),
        ))],
        tables: vec![table],
    })
}

fn cold(results: &Results) -> Section<'_> {
    let by_memory = tables::by_memory(results);
    let mut words = vec![text::COLD.to_owned()];
    words.extend((by_memory.is_none() && results.platform == LOCAL).then(|| text::NO_CPU_SHARES.to_owned()));
    let charts = [
        Some(Chart::Ranges(times(
            "first-answer",
            "API function: from the start of its process to the first answer".into(),
            results.measured.iter(),
            |measured| Some(&measured.first_invocation()?.first_answer_us),
        ))),
        Some(Chart::Ranges(times(
            "first-task",
            "Everything cold: from request to start of its task, at most".into(),
            results.measured.iter(),
            |measured| Some(&measured.cold_task()?.request_to_started_us),
        ))),
        by_memory.is_some().then(|| Chart::Lines(memory_chart(results))),
    ];
    let tables = [tables::first_invocation(results), tables::first_request(results)];
    Section {
        id: "cold",
        title: "Cold start",
        words,
        notes: Vec::new(),
        charts: charts.into_iter().flatten().collect(),
        tables: tables.into_iter().chain(by_memory).collect(),
    }
}

fn ablation(results: &Results) -> Option<Section<'_>> {
    let tables = results.ablation.as_ref().map(tables::ablation);
    (results.platform == LOCAL).then(|| Section {
        id: "ablation",
        title: "What makes a cold start fast",
        words: vec![text::ablation(results)],
        notes: Vec::new(),
        charts: Vec::new(),
        tables: tables.unwrap_or_default(),
    })
}

fn memory_chart(results: &Results) -> Lines {
    let line = |measured: &Measured| {
        let points = measured.cold_by_memory.iter().map(|by_memory| {
            let first_answer = &by_memory.first_invocation.first_answer_us;
            (f64::from(by_memory.memory_mb), milliseconds(first_answer.p50))
        });
        Line {
            variant: measured.variant,
            points: points.collect(),
        }
    };
    let series: Vec<Line> = results
        .measured
        .iter()
        .map(line)
        .filter(|line| !line.points.is_empty())
        .collect();
    Lines {
        id: "memory",
        title:
            "From the start of the process to the first answer, by the memory size of the function; median"
                .into(),
        description: "The same figures are in the table by memory size.".into(),
        x: Axis {
            label: "memory, MB".into(),
            is_logarithmic: true,
            ticks: series
                .first()
                .map(|line| line.points.iter().map(|(memory, _)| *memory).collect())
                .unwrap_or_default(),
            write: |memory| format!("{memory}"),
        },
        y: Axis {
            label: "time".into(),
            is_logarithmic: true,
            ticks: Vec::new(),
            write: |time| format!("{time} ms"),
        },
        series,
    }
}

fn accept(results: &Results) -> Section<'_> {
    let rate = results.settings.reference_rate();
    Section {
        id: "accept",
        title: "Accepting a task",
        words: vec![text::ACCEPT.to_owned()],
        notes: Vec::new(),
        charts: vec![Chart::Percentiles(times(
            "accept-curve",
            format!("From when a request was due to its 202, at {rate} requests/s"),
            charted(results),
            |measured| Some(&measured.load_at(rate)?.accept_us),
        ))],
        tables: vec![tables::accept(results)],
    }
}

fn start(results: &Results) -> Section<'_> {
    let rate = results.settings.reference_rate();
    Section {
        id: "start",
        title: "Starting the work",
        words: vec![text::START.to_owned()],
        notes: Vec::new(),
        charts: vec![
            Chart::Percentiles(times(
                "start-curve",
                format!("From a task's being accepted to its start, at {rate} requests/s"),
                charted(results),
                |measured| Some(&measured.load_at(rate)?.task.as_ref()?.accepted_to_started_us),
            )),
            Chart::Percentiles(times(
                "end-curve",
                format!("From a task's being accepted to its end, at {rate} requests/s"),
                charted(results),
                |measured| Some(&measured.load_at(rate)?.task.as_ref()?.accepted_to_finished_us),
            )),
        ],
        tables: vec![tables::start(results), tables::billed(results)],
    }
}

fn bursts(results: &Results) -> Option<Section<'_>> {
    let table = tables::bursts(results)?;
    let line = |measured: &Measured| {
        let course = measured.burst.as_ref()?.course.iter();
        let points = course.map(|moment| (moment.at_us as f64 / 1e6, moment.waiting as f64));
        Some(Line {
            variant: measured.variant,
            points: points.collect(),
        })
    };
    let chart = Lines {
        id: "burst",
        title: "Tasks that were accepted and had not begun, from the first one's being accepted".into(),
        description: "When all had begun is in the table.".into(),
        x: Axis {
            label: "seconds".into(),
            is_logarithmic: false,
            ticks: Vec::new(),
            write: |seconds| format!("{seconds}"),
        },
        y: Axis {
            label: "tasks".into(),
            is_logarithmic: false,
            ticks: Vec::new(),
            write: |tasks| format!("{tasks}"),
        },
        series: results.measured.iter().filter_map(line).collect(),
    };
    Some(Section {
        id: "bursts",
        title: "Bursts",
        words: vec![text::BURSTS.to_owned()],
        notes: Vec::new(),
        charts: vec![Chart::Lines(chart)],
        tables: vec![table],
    })
}

fn limits(results: &Results) -> Option<Section<'_>> {
    Some(Section {
        id: "limits",
        title: "Limits",
        words: vec![text::LIMITS.to_owned()],
        notes: Vec::new(),
        charts: Vec::new(),
        tables: [tables::limits(results)?]
            .into_iter()
            .chain(tables::steps(results))
            .collect(),
    })
}

fn faults(results: &Results) -> Option<Section<'_>> {
    let tables = tables::single_faults(results);
    (!tables.is_empty()).then(|| Section {
        id: "faults",
        title: "When something breaks",
        words: text::faults(results).into_iter().collect(),
        notes: Vec::new(),
        charts: Vec::new(),
        tables,
    })
}

fn soak(results: &Results) -> Option<Section<'_>> {
    Some(Section {
        id: "reliability",
        title: "When everything breaks",
        words: vec![text::soak(results)?],
        notes: Vec::new(),
        charts: Vec::new(),
        tables: vec![tables::soak(results), tables::broken(results)],
    })
}

fn correctness(results: &Results) -> Section<'_> {
    Section {
        id: "correctness",
        title: "Correctness",
        words: vec![text::CHECK.to_owned()],
        notes: Vec::new(),
        charts: Vec::new(),
        tables: vec![tables::check(results)],
    }
}

fn money(costs: &Costs) -> Section<'_> {
    let line = |way: &crate::cost::WayCosts| {
        let months = TASKS_PER_MONTH.iter().filter(|tasks| **tasks > 0.0);
        let points: Vec<(f64, f64)> = months
            .filter_map(|tasks| Some((*tasks, way.month(*tasks)?)))
            .collect();
        (!points.is_empty()).then_some(Line {
            variant: way.variant,
            points,
        })
    };
    let chart = Lines {
        id: "months",
        title: format!(
            "A month by its number of tasks of {}, in US dollars; both axes are logarithmic. Modelled",
            task_length(REFERENCE_SECONDS)
        ),
        description: "The same figures are in the table of months.".into(),
        x: Axis {
            label: "tasks a month".into(),
            is_logarithmic: true,
            ticks: TASKS_PER_MONTH.into_iter().filter(|tasks| *tasks > 0.0).collect(),
            write: magnitude,
        },
        y: Axis {
            label: "US dollars".into(),
            is_logarithmic: true,
            ticks: Vec::new(),
            write: dollars,
        },
        series: costs.ways.iter().filter_map(line).collect(),
    };
    Section {
        id: "money",
        title: "Money",
        words: vec![text::money(costs)],
        notes: cost::ASSUMPTIONS.map(str::to_owned).to_vec(),
        charts: vec![Chart::Lines(chart)],
        tables: [
            tables::per_million(costs),
            tables::months(costs),
            tables::idle(costs),
        ]
        .into_iter()
        .chain(tables::prices())
        .collect(),
    }
}

fn complexity(results: &Results) -> Option<Section<'_>> {
    let is_known = |measured: &Measured| measured.complexity.is_some() || !measured.binaries.is_empty();
    results.measured.iter().any(is_known).then(|| Section {
        id: "complexity",
        title: "What there is to deploy",
        words: vec![text::COMPLEXITY.to_owned()],
        notes: Vec::new(),
        charts: Vec::new(),
        tables: vec![
            tables::complexity(results),
            tables::sizes(results),
            tables::permissions(results),
        ],
    })
}

/// The ways of which curves are drawn; more would hide each other.
fn charted(results: &Results) -> impl Iterator<Item = &Measured> {
    results
        .measured
        .iter()
        .filter(|measured| measured.variant.is_variant() || measured.variant == Variant::Noop)
}

fn times<'a>(
    id: &'static str,
    title: String,
    measured: impl Iterator<Item = &'a Measured>,
    figure: impl Fn(&'a Measured) -> Option<&'a Distribution>,
) -> Times<'a> {
    let of = measured.filter_map(|measured| Some((measured.variant, figure(measured)?)));
    Times {
        id,
        title,
        of: of.collect(),
    }
}

fn milliseconds(microseconds: u64) -> f64 {
    microseconds.max(1) as f64 / 1000.0
}
