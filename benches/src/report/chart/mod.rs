//! Charts as inline SVG: drawn here, coloured by the page's style sheet through a class for each variant, so that
//! they follow the light and the dark theme. Variants differ in dash and marker too, not in colour alone.

mod file;
mod lines;
mod percentiles;
mod ranges;
mod scale;

use maud::{Markup, html};

pub(super) use lines::{Axis, Line, Lines};
pub(super) use percentiles::Percentiles;
pub(super) use ranges::Ranges;

use crate::statistics::Distribution;
use crate::variant::Variant;

/// What a chart shows of one variant; times in microseconds.
pub(super) struct Series<'a> {
    pub(super) variant: Variant,
    pub(super) times: &'a Distribution,
}

/// The variants of a chart with their lines and markers.
pub(super) fn legend(variants: impl Iterator<Item = Variant>) -> Markup {
    html! {
        ul .legend {
            @for variant in variants {
                li {
                    svg class={ "swatch " (variant) } viewBox="0 0 34 12" aria-hidden="true" {
                        line .curve x1="1" y1="6" x2="33" y2="6" stroke-dasharray=(dashes(variant)) {}
                        (marker(variant, 17.0, 6.0))
                    }
                    (variant)
                }
            }
        }
    }
}

fn dashes(variant: Variant) -> &'static str {
    match variant {
        Variant::SelfInvoke => "none",
        Variant::SqsWorker => "7 3",
        Variant::SplitLambda => "2 2.5",
        Variant::Synchronous => "12 3",
        Variant::Background => "1.5 4",
        Variant::Extension => "5 5",
        Variant::QueueIntegration => "7 3 2 3",
        Variant::AlwaysOn => "14 3 2 3 2 3",
        Variant::Noop => "9 3 2 3",
    }
}

fn marker(variant: Variant, x: f64, y: f64) -> Markup {
    let path = match variant {
        Variant::SelfInvoke => "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
        Variant::SqsWorker | Variant::QueueIntegration => "M-3.6 -3.6h7.2v7.2h-7.2z",
        Variant::SplitLambda | Variant::Extension => "M0 -4.6L4.4 3.4H-4.4z",
        Variant::AlwaysOn => "M-4.4 -3.4H4.4L0 4.6z",
        Variant::Synchronous | Variant::Background | Variant::Noop => "M0 -4.6L4.6 0L0 4.6L-4.6 0z",
    };
    html! { path .marker d=(path) transform={ "translate(" (place(x)) " " (place(y)) ")" } {} }
}

/// A coordinate, to a tenth of a unit.
fn place(coordinate: f64) -> String {
    format!("{coordinate:.1}")
}
