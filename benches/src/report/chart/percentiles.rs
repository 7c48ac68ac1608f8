//! A curve for each variant: the time within which a share of the samples lies, the share drawn towards 100 % on a
//! logarithmic scale, so that the tail has room. The form is that of the HDR histogram's percentile plot.

use maud::{Markup, html};

use super::file::File;
use super::scale::{Scale, decade_ticks};
use super::{Series, dashes, marker, place};
use crate::report::format::time;
use crate::statistics::Distribution;

/// The chart of many samples of each variant.
pub(in crate::report) struct Percentiles<'a> {
    /// Unique in the page.
    pub(in crate::report) id: &'static str,
    /// What is shown.
    pub(in crate::report) title: &'a str,
    pub(in crate::report) series: &'a [Series<'a>],
}

/// Labelled shares, with the number of samples from which they can be shown.
const SHARES: [(f64, &str, u64); 4] = [
    (0.5, "50 %", 0),
    (0.9, "90 %", 10),
    (0.99, "99 %", 100),
    (0.999, "99.9 %", 1000),
];

#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Scale,
    y: Scale,
}

impl Percentiles<'_> {
    /// The chart, for a page that is wide and, shown instead where it is not, for a narrow one.
    pub(in crate::report) fn render(&self) -> Markup {
        html! {
            div .wide { (self.draw("w", 960.0, 380.0)) }
            div .narrow { (self.draw("n", 380.0, 320.0)) }
        }
    }

    /// The same as a file of its own.
    pub(in crate::report) fn file(&self) -> String {
        let file = File {
            title: self.title,
            description: &self.description(),
            variants: self.series.iter().map(|series| series.variant).collect(),
            width: 960.0,
            height: 380.0,
        };
        file.write(&self.content(file.width, file.height))
    }

    fn draw(&self, suffix: &str, width: f64, height: f64) -> Markup {
        let id = format!("{}-{suffix}", self.id);
        html! {
            svg .chart viewBox={ "0 0 " (width) " " (height) } role="img" aria-labelledby={ (id) "-t " (id) "-d" } {
                title id={ (id) "-t" } { (self.title) }
                desc id={ (id) "-d" } { (self.description()) }
                (self.content(width, height))
            }
        }
    }

    fn content(&self, width: f64, height: f64) -> Markup {
        let times = || self.series.iter().map(|series| series.times);
        let samples = times().map(|times| times.count).max().unwrap_or(1);
        let from = times().map(|times| times.min).min().unwrap_or(1);
        let to = times().map(|times| times.max).max().unwrap_or(1);
        let ticks = decade_ticks(milliseconds(from), milliseconds(to));
        let frame = Frame::new(width, height, samples, &ticks);
        html! {
            (frame.axes(samples, &ticks))
            @for series in self.series {
                g class=(series.variant) { (frame.curve(series)) }
            }
        }
    }

    fn description(&self) -> String {
        let lines: Vec<String> = self
            .series
            .iter()
            .map(|series| {
                let (half, most) = (time(series.times.p50), time(series.times.p90));
                format!("{}: 50 % within {half}, 90 % within {most}.", series.variant)
            })
            .collect();
        lines.join(" ")
    }
}

impl Frame {
    fn new(width: f64, height: f64, samples: u64, ticks: &[f64]) -> Self {
        let (left, right, top, bottom) = (62.0, width - 22.0, 10.0, height - 48.0);
        let (from, to) = (
            ticks.first().copied().unwrap_or(1.0),
            ticks.last().copied().unwrap_or(10.0),
        );
        Self {
            left,
            right,
            top,
            bottom,
            // The last of n samples stands for the share 1 - 1/2n; the axis ends there.
            x: Scale::linear(rarity(1.0 - 0.5 / samples as f64), left, right),
            y: Scale::logarithmic(from, to, bottom, top),
        }
    }

    fn axes(self, samples: u64, ticks: &[f64]) -> Markup {
        let middle = f64::midpoint(self.left, self.right);
        html! {
            @for tick in ticks {
                @let y = self.y.place(*tick);
                line .grid x1=(self.left) x2=(self.right) y1=(place(y)) y2=(place(y)) {}
                text .tick x=(self.left - 7.0) y=(place(y + 4.0)) text-anchor="end" { (label(*tick)) }
            }
            @for (share, label, _) in SHARES.iter().filter(|(_, _, needed)| *needed <= samples) {
                @let x = place(self.x.place(rarity(*share)));
                line .grid x1=(x) x2=(x) y1=(self.top) y2=(self.bottom) {}
                text .tick x=(x) y=(self.bottom + 17.0) text-anchor="middle" { (label) }
            }
            line .base x1=(self.left) x2=(self.right) y1=(self.bottom) y2=(self.bottom) {}
            text .axis x=(middle) y=(self.bottom + 40.0) text-anchor="middle" { "share of the samples within the time" }
        }
    }

    /// A step for each value: up to it, then right to the share of the samples that do not exceed it.
    fn curve(self, series: &Series<'_>) -> Markup {
        let (mut x, mut y) = (self.left, self.height(series.times.min));
        let mut path = vec![format!("M{x:.1} {y:.1}")];
        for (value, share) in series.times.cumulative() {
            let (right, up) = (self.x.place(rarity(share)).min(self.right), self.height(value));
            // Steps below half a unit would be seen in the size of the page alone.
            if right >= self.right || right - x + y - up >= 0.5 {
                path.push(format!("V{up:.1}H{right:.1}"));
                (x, y) = (right, up);
            }
        }
        html! {
            path .curve d=(path.concat()) stroke-dasharray=(dashes(series.variant)) {}
            @for (x, y) in self.marks(series.times) { (marker(series.variant, x, y)) }
        }
    }

    /// Where the curve meets the labelled shares.
    fn marks(self, times: &Distribution) -> impl Iterator<Item = (f64, f64)> {
        let values = [Some(times.p50), Some(times.p90), times.p99, times.p99_9];
        SHARES
            .iter()
            .zip(values)
            .filter_map(move |((share, ..), value)| Some((self.x.place(rarity(*share)), self.height(value?))))
    }

    fn height(self, microseconds: u64) -> f64 {
        self.y.place(milliseconds(microseconds))
    }
}

/// How many powers of ten the rest beyond a share is away from the whole: 0.9 gives 1, 0.99 gives 2.
fn rarity(share: f64) -> f64 {
    -(1.0 - share).log10()
}

/// In milliseconds, and never 0, which has no place on a logarithmic axis.
fn milliseconds(microseconds: u64) -> f64 {
    microseconds.max(1) as f64 / 1000.0
}

fn label(milliseconds: f64) -> String {
    if milliseconds < 1000.0 {
        format!("{milliseconds} ms")
    } else {
        format!("{} s", milliseconds / 1000.0)
    }
}
