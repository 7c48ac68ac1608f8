//! A chart as a file of its own, for a document that shows one. It brings the page's style sheet, and paints its own
//! ground, so that it can be read on whatever ground it is shown.

use maud::{Markup, PreEscaped, html};

use super::{dashes, marker};
use crate::report::html::STYLE;
use crate::variant::Variant;

/// What is around the chart.
pub(super) struct File<'a> {
    pub(super) title: &'a str,
    /// What it says, in words, to who does not see it.
    pub(super) description: &'a str,
    /// For the legend.
    pub(super) variants: Vec<Variant>,
    /// Of the chart alone.
    pub(super) width: f64,
    pub(super) height: f64,
}

const MARGIN: f64 = 18.0;
const HEADING: f64 = 36.0;
/// Of the legend: so many next to each other, each so wide.
const COLUMNS: usize = 6;
const COLUMN: f64 = 150.0;
const ROW: f64 = 22.0;

impl File<'_> {
    /// The chart with its title and legend, as SVG.
    pub(super) fn write(&self, chart: &Markup) -> String {
        let top = HEADING + ROW * self.variants.len().div_ceil(COLUMNS) as f64 + MARGIN;
        let (width, height) = (self.width + 2.0 * MARGIN, top + self.height + MARGIN);
        let svg = html! {
            svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (width) " " (height) } width=(width) height=(height)
                role="img" font-family="system-ui, sans-serif" {
                title { (self.title) }
                desc { (self.description) }
                style { (PreEscaped(STYLE)) }
                rect width="100%" height="100%" rx="6" style="fill: var(--ground)" {}
                g .chart transform={ "translate(" (MARGIN) " 0)" } {
                    text y=(HEADING - 8.0) style="font-size: 15px; font-weight: 600" { (self.title) }
                    @for (place, variant) in self.variants.iter().enumerate() {
                        @let (x, y) = ((place % COLUMNS) as f64 * COLUMN, HEADING + (place / COLUMNS) as f64 * ROW + ROW / 2.0);
                        g class=(variant) transform={ "translate(" (x) " " (y) ")" } {
                            line .curve x1="0" x2="32" stroke-dasharray=(dashes(*variant)) {}
                            (marker(*variant, 16.0, 0.0))
                            text x="40" y="4" { (variant) }
                        }
                    }
                    g transform={ "translate(0 " (top) ")" } { (chart) }
                }
            }
        };
        svg.into_string()
    }
}
