//! The few sentences at the top of a report, each derived from the figures by a rule that is printed with it.

use crate::report::format::{count, time};
use crate::results::{Measured, Results};
use crate::statistics::Distribution;
use crate::variant::Variant;

/// When one variant is called faster than another.
pub const RULE: &str = "Medians are compared. One is called faster only if its upper quartile lies below the lower \
    quartile of the other: where the middle halves of the samples overlap, this run does not tell them apart.";

/// A sentence about the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub topic: &'static str,
    /// What was found.
    pub text: String,
    /// Which figure it rests on.
    pub basis: String,
}

/// What the results say.
pub fn findings(results: &Results) -> Vec<Finding> {
    let rate = results.settings.reference_rate();
    let warm = |what| format!("Warm, at {rate} requests/s, {what}.");
    let found = [
        ranked(
            results,
            "Accepting a task",
            &warm("from when a request was due"),
            |of| Some(&of.load_at(rate)?.accept_us),
        ),
        ranked(
            results,
            "Starting the work",
            &warm("from accepted to started"),
            |of| Some(&of.load_at(rate)?.task.as_ref()?.accepted_to_started_us),
        ),
        ranked(
            results,
            "First answer, cold",
            "API function, from the start of its process.",
            |of| Some(&of.first_invocation()?.first_answer_us),
        ),
        ranked(
            results,
            "First task started, cold",
            "Every function cold, from sending the request.",
            |of| Some(&of.cold_task()?.request_to_started_us),
        ),
        correctness(results),
        reliability(results),
    ];
    found.into_iter().flatten().collect()
}

fn ranked<'a>(
    results: &'a Results,
    topic: &'static str,
    basis: &str,
    figure: impl Fn(&'a Measured) -> Option<&'a Distribution>,
) -> Option<Finding> {
    let figures = results
        .variants()
        .filter_map(|measured| Some((measured.variant, figure(measured)?)));
    let figures: Vec<_> = figures.collect();
    let samples = figures.iter().map(|(_, figure)| figure.count);
    let samples = match (samples.clone().min()?, samples.max()?) {
        (fewest, most) if fewest == most => count(most),
        (fewest, most) => format!("{} to {}", count(fewest), count(most)),
    };
    Some(Finding {
        topic,
        text: ranking(figures)?,
        basis: format!("{basis} {samples} samples each."),
    })
}

fn ranking(mut figures: Vec<(Variant, &Distribution)>) -> Option<String> {
    figures.sort_by_key(|(_, figure)| figure.p50);
    let &(first, fastest) = figures.first()?;
    let named = |figures: &[(Variant, &Distribution)]| {
        let named = figures
            .iter()
            .map(|(variant, figure)| format!("{variant} ({})", time(figure.p50)));
        named.collect::<Vec<_>>().join(", ")
    };
    let (leading, others): (Vec<_>, Vec<_>) = figures
        .into_iter()
        .partition(|(_, figure)| figure.p25 <= fastest.p75);
    Some(match (leading.len(), &others[..]) {
        (1, []) => format!(
            "{first} takes {}; there is nothing to compare it with.",
            time(fastest.p50)
        ),
        (1, others) => format!(
            "{first} is fastest with {}; then {}.",
            time(fastest.p50),
            named(others)
        ),
        (_, []) => format!("No clear difference: {}.", named(&leading)),
        (_, others) => {
            format!(
                "No clear difference at the front: {}; behind: {}.",
                named(&leading),
                named(others)
            )
        }
    })
}

/// What the soak came to, where there was one.
fn reliability(results: &Results) -> Option<Finding> {
    let soaks = results
        .variants()
        .filter_map(|measured| Some((measured.variant, measured.soak.as_ref()?)));
    let soaks: Vec<_> = soaks.collect();
    let plan = results.settings.soak.as_ref().filter(|_| !soaks.is_empty())?;
    let accepted: u64 = soaks.iter().map(|(_, soak)| soak.accepted).sum();
    let ended: u64 = soaks.iter().map(|(_, soak)| soak.accepted - soak.missing).sum();
    let twice: u64 = soaks.iter().map(|(_, soak)| soak.ended_twice).sum();
    let recoveries = soaks.iter().filter_map(|(variant, soak)| {
        let median = soak.recovered_us.as_ref()?.p50;
        Some(format!("{variant} {}", time(median)))
    });
    let recoveries: Vec<_> = recoveries.collect();
    let recovery = if recoveries.is_empty() {
        String::new()
    } else {
        format!(
            " An attempt that was lost was made up for after: {}.",
            recoveries.join(", ")
        )
    };
    Some(Finding {
        topic: "Reliability",
        text: format!(
            "While things broke, {} of {} accepted tasks ended, {} of them twice.{recovery}",
            count(ended),
            count(accepted),
            count(twice)
        ),
        basis: format!("Faults: {}. Medians, from accepted to the end.", plan.faults),
    })
}

fn correctness(results: &Results) -> Option<Finding> {
    let checks: Vec<_> = results
        .variants()
        .filter_map(|measured| measured.check.as_ref())
        .collect();
    let first = checks.first()?;
    let accepted = checks.iter().map(|check| check.accepted).sum();
    let succeeded = checks.iter().map(|check| check.succeeded()).sum();
    let is_same = checks.iter().all(|check| check.picture == first.picture);
    let pictures = match checks.len() {
        1 => String::new(),
        all if is_same => format!(" {all} variants computed the same picture."),
        _ => " The variants computed different pictures!".to_owned(),
    };
    Some(Finding {
        topic: "Correctness",
        text: format!(
            "{} of {} accepted tasks succeeded.{pictures}",
            count(succeeded),
            count(accepted)
        ),
        basis: "The final records of all tasks under load; SHA-256 of a computed picture.".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(median: u64) -> Distribution {
        Distribution::of([median - 100, median, median + 100]).unwrap()
    }

    fn ranking_of(medians: &[u64]) -> String {
        let figures: Vec<Distribution> = medians.iter().map(|&median| around(median)).collect();
        ranking(Variant::ALL.into_iter().zip(&figures).collect()).unwrap()
    }

    #[test]
    fn the_fastest_is_named_when_the_middle_halves_lie_apart() {
        let text = ranking_of(&[3000, 2000, 4000]);
        assert_eq!(
            text,
            "sqs-worker is fastest with 2.00 ms; then self-invoke (3.00 ms), split-lambda (4.00 ms)."
        );
    }

    #[test]
    fn overlapping_middle_halves_are_not_told_apart() {
        assert_eq!(
            ranking_of(&[2000, 2150]),
            "No clear difference: self-invoke (2.00 ms), sqs-worker (2.15 ms)."
        );
    }

    #[test]
    fn the_clearly_slower_one_is_set_apart_from_two_alike() {
        assert!(ranking_of(&[2000, 2150, 9000]).ends_with("behind: split-lambda (9.00 ms)."));
    }

    #[test]
    fn a_wide_spread_overlaps_even_from_the_last_place() {
        let [first, second, wide] = [
            around(2000),
            around(3000),
            Distribution::of([100, 9000, 9900]).unwrap(),
        ];
        let text = ranking(Variant::ALL.into_iter().zip([&first, &second, &wide]).collect()).unwrap();
        assert!(
            text.ends_with("self-invoke (2.00 ms), split-lambda (9.00 ms); behind: sqs-worker (3.00 ms)."),
            "{text}"
        );
    }

    #[test]
    fn one_alone_is_not_called_fastest() {
        assert!(ranking_of(&[2000]).contains("nothing to compare"));
    }
}
