//! A line for each way through points of two quantities, each on a linear or a logarithmic axis.

use maud::{Markup, html};

use super::file::File;
use super::scale::{Scale, decade_ticks, even_ticks};
use super::{dashes, marker, place};
use crate::variant::Variant;

/// The chart.
pub(in crate::report) struct Lines {
    /// Unique in the page.
    pub(in crate::report) id: &'static str,
    /// What is shown.
    pub(in crate::report) title: String,
    /// What it says, in words, to who does not see it.
    pub(in crate::report) description: String,
    pub(in crate::report) x: Axis,
    pub(in crate::report) y: Axis,
    pub(in crate::report) series: Vec<Line>,
}

/// One quantity.
pub(in crate::report) struct Axis {
    pub(in crate::report) label: String,
    pub(in crate::report) is_logarithmic: bool,
    /// Where it is labelled; nothing for round numbers.
    pub(in crate::report) ticks: Vec<f64>,
    /// How a number is written.
    pub(in crate::report) write: fn(f64) -> String,
}

/// One way's line.
pub(in crate::report) struct Line {
    pub(in crate::report) variant: Variant,
    pub(in crate::report) points: Vec<(f64, f64)>,
}

/// Lines with more points than this have no markers: they would be all that is seen.
const MOST_MARKERS: usize = 12;

struct Frame<'a> {
    lines: &'a Lines,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: (Scale, Vec<f64>),
    y: (Scale, Vec<f64>),
}

impl Lines {
    /// The chart, for a page that is wide and, shown instead where it is not, for a narrow one.
    pub(in crate::report) fn render(&self) -> Markup {
        html! {
            div .wide { (self.draw("w", 960.0, 340.0)) }
            div .narrow { (self.draw("n", 380.0, 300.0)) }
        }
    }

    /// The same as a file of its own.
    pub(in crate::report) fn file(&self) -> String {
        let file = File {
            title: &self.title,
            description: &self.description,
            variants: self.series.iter().map(|line| line.variant).collect(),
            width: 960.0,
            height: 340.0,
        };
        file.write(&self.content(file.width, file.height))
    }

    fn draw(&self, suffix: &str, width: f64, height: f64) -> Markup {
        let id = format!("{}-{suffix}", self.id);
        html! {
            svg .chart viewBox={ "0 0 " (width) " " (height) } role="img" aria-labelledby={ (id) "-t " (id) "-d" } {
                title id={ (id) "-t" } { (self.title) }
                desc id={ (id) "-d" } { (self.description) }
                (self.content(width, height))
            }
        }
    }

    fn content(&self, width: f64, height: f64) -> Markup {
        let frame = Frame::new(self, width, height);
        html! {
            (frame.axes())
            @for line in &self.series {
                g class=(line.variant) { (frame.line(line)) }
            }
        }
    }
}

impl<'a> Frame<'a> {
    fn new(lines: &'a Lines, width: f64, height: f64) -> Self {
        let (left, right, top, bottom) = (62.0, width - 22.0, 10.0, height - 48.0);
        let points = || lines.series.iter().flat_map(|line| &line.points);
        Self {
            lines,
            left,
            right,
            top,
            bottom,
            x: lines.x.scale(points().map(|point| point.0), left, right),
            y: lines.y.scale(points().map(|point| point.1), bottom, top),
        }
    }

    fn axes(&self) -> Markup {
        let middle = f64::midpoint(self.left, self.right);
        let (x, y) = (&self.lines.x, &self.lines.y);
        html! {
            @for tick in &self.y.1 {
                @let height = self.y.0.place(*tick);
                line .grid x1=(self.left) x2=(self.right) y1=(place(height)) y2=(place(height)) {}
                text .tick x=(self.left - 7.0) y=(place(height + 4.0)) text-anchor="end" { ((y.write)(*tick)) }
            }
            @for tick in &self.x.1 {
                @let across = place(self.x.0.place(*tick));
                line .grid x1=(across) x2=(across) y1=(self.top) y2=(self.bottom) {}
                text .tick x=(across) y=(self.bottom + 17.0) text-anchor="middle" { ((x.write)(*tick)) }
            }
            line .base x1=(self.left) x2=(self.right) y1=(self.bottom) y2=(self.bottom) {}
            text .axis x=(middle) y=(self.bottom + 40.0) text-anchor="middle" { (x.label) }
        }
    }

    fn line(&self, line: &Line) -> Markup {
        let places: Vec<(f64, f64)> = line
            .points
            .iter()
            .map(|(x, y)| (self.x.0.place(*x), self.y.0.place(*y)))
            .collect();
        let steps = places.iter().map(|(x, y)| format!("{} {}", place(*x), place(*y)));
        let path = format!("M{}", steps.collect::<Vec<_>>().join("L"));
        html! {
            path .curve d=(path) stroke-dasharray=(dashes(line.variant)) {}
            @if places.len() <= MOST_MARKERS {
                @for (x, y) in places { (marker(line.variant, x, y)) }
            }
        }
    }
}

impl Axis {
    /// The scale for these values, and where it is labelled.
    fn scale(&self, values: impl Iterator<Item = f64> + Clone, start: f64, end: f64) -> (Scale, Vec<f64>) {
        let largest = values.clone().fold(0.0, f64::max).max(1e-9);
        let smallest = values.filter(|value| *value > 0.0).fold(largest, f64::min);
        let mut ticks = match (self.ticks.is_empty(), self.is_logarithmic) {
            (false, _) => self.ticks.clone(),
            (true, true) => decade_ticks(smallest, largest),
            (true, false) => even_ticks(largest, 5.0),
        };
        let (first, last) = (
            ticks.first().copied().unwrap_or(0.0),
            ticks.last().copied().unwrap_or(1.0),
        );
        let scale = if self.is_logarithmic {
            Scale::logarithmic(first, last, start, end)
        } else {
            Scale::linear(last, start, end)
        };
        // Over many decades only the powers of ten have room for a label.
        if self.ticks.is_empty() && self.is_logarithmic && ticks.len() > 10 {
            ticks.retain(|tick| (tick.log10() - tick.log10().round()).abs() < 1e-9);
        }
        (scale, ticks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(is_logarithmic: bool) -> Axis {
        Axis {
            label: "things".into(),
            is_logarithmic,
            ticks: Vec::new(),
            write: |number| number.to_string(),
        }
    }

    #[test]
    fn the_ends_of_the_axes_hold_all_points() {
        let (scale, ticks) = axis(false).scale([3.0, 37.0].into_iter(), 0.0, 100.0);
        assert_eq!(ticks, [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert!((scale.place(40.0) - 100.0).abs() < 1e-9);
        let (scale, ticks) = axis(true).scale([0.02, 90_000.0].into_iter(), 0.0, 100.0);
        assert!(ticks.len() <= 8, "{ticks:?}");
        assert!(scale.place(0.02) >= 0.0 && scale.place(90_000.0) <= 100.0);
    }
}
