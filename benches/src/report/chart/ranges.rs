//! A bar for each variant: to the median, with a line from the smallest to the largest sample and a dot for each.

use maud::{Markup, html};

use super::scale::{Scale, even_ticks};
use super::{Series, marker, place};
use crate::report::format::time;

/// The chart of a few samples of each variant.
pub(in crate::report) struct Ranges<'a> {
    /// Unique in the page.
    pub(in crate::report) id: &'static str,
    /// What is shown.
    pub(in crate::report) title: &'a str,
    pub(in crate::report) series: &'a [Series<'a>],
}

const WIDTH: f64 = 440.0;
const LEFT: f64 = 128.0;
const RIGHT: f64 = 424.0;
const ROW: f64 = 40.0;

impl Ranges<'_> {
    pub(in crate::report) fn render(&self) -> Markup {
        let largest = self
            .series
            .iter()
            .map(|series| series.times.max)
            .max()
            .unwrap_or(0);
        let ticks = even_ticks((largest as f64 / 1000.0).max(0.001), 5.0);
        let end = ticks.last().copied().unwrap_or(1.0);
        let scale = Scale::linear(end, LEFT, RIGHT);
        let bottom = self.series.len() as f64 * ROW + 4.0;
        html! {
            svg .chart viewBox={ "0 0 " (WIDTH) " " (bottom + 42.0) } role="img" aria-labelledby={ (self.id) "-t " (self.id) "-d" } {
                title id={ (self.id) "-t" } { (self.title) }
                desc id={ (self.id) "-d" } { (self.description()) }
                @for tick in &ticks {
                    @let x = place(scale.place(*tick));
                    line .grid x1=(x) x2=(x) y1="0" y2=(bottom) {}
                    text .tick x=(x) y=(bottom + 16.0) text-anchor="middle" { (tick) }
                }
                text .axis x=(f64::midpoint(LEFT, RIGHT)) y=(bottom + 36.0) text-anchor="middle" { "milliseconds" }
                @for (row, series) in self.series.iter().enumerate() {
                    (bar(series, row as f64 * ROW + ROW / 2.0 + 2.0, scale))
                }
                line .base x1=(LEFT) x2=(LEFT) y1="0" y2=(bottom) {}
            }
        }
    }

    fn description(&self) -> String {
        let medians: Vec<String> = self
            .series
            .iter()
            .map(|series| format!("{} {}", series.variant, time(series.times.p50)))
            .collect();
        format!("Medians: {}.", medians.join(", "))
    }
}

fn bar(series: &Series<'_>, middle: f64, scale: Scale) -> Markup {
    let at = |microseconds: u64| scale.place(microseconds as f64 / 1000.0);
    let times = series.times;
    html! {
        g class=(series.variant) {
            text .name x=(LEFT - 8.0) y=(middle + 4.0) text-anchor="end" { (series.variant) }
            rect .bar x=(LEFT) y=(middle - 13.0) width=(place(at(times.p50) - LEFT)) height="26" {}
            line .whisker x1=(place(at(times.min))) x2=(place(at(times.max))) y1=(middle) y2=(middle) {}
            @for (value, _) in &times.recorded {
                circle .sample cx=(place(at(*value))) cy=(middle) r="2.6" {}
            }
            line .median x1=(place(at(times.p50))) x2=(place(at(times.p50))) y1=(middle - 13.0) y2=(middle + 13.0) {}
            (marker(series.variant, at(times.p50), middle - 13.0))
        }
    }
}
