//! What changed between two runs, and whether it is more than noise. A change has to be significant within the samples
//! (the rank test of Mann and Whitney: "On a Test of Whether one of Two Random Variables is Stochastically Larger than the
//! Other", Annals of Mathematical Statistics 18, 1947, with the normal approximation and the correction for ties), and
//! larger than what the machine did to the floor, whose code is the same in both runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::results::{Measured, Results};
use crate::statistics::Distribution;
use crate::variant::Variant;

/// The rule, as it is printed.
pub const RULE: &str = "A median counts as changed when the rank test of Mann and Whitney finds the samples different (at \
    1 %), and the medians differ by more than 5 % and by more than the floor's did, for that is what the machine did: where \
    the floor has no such figure, its next one, an answer for a start, its init for a worker's; none for your task. \
    Everything else is noise.";

/// Two-sided, at 1 %.
const SIGNIFICANT: f64 = 2.576;

/// The smallest change that is called one.
const SMALLEST_CHANGE: f64 = 0.05;

/// Everything that changed between two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// When the earlier run was made.
    pub since: String,
    /// What else differs between the runs, in words: machine, commit, settings.
    pub circumstances: Vec<String>,
    /// Every figure that both runs have.
    pub changes: Vec<Change>,
}

/// One figure in both runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Of which way.
    pub variant: Variant,
    /// What was measured.
    pub figure: String,
    /// The earlier median.
    pub before_us: u64,
    /// The later median.
    pub after_us: u64,
    /// What to think of it.
    pub kind: Kind,
}

/// What to think of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It got faster.
    Faster,
    /// It got slower.
    Slower,
    /// It cannot be told from noise.
    Noise,
}

impl Change {
    /// By what the median grew: 0.1 for 10 %.
    pub fn growth(&self) -> f64 {
        growth(self.before_us, self.after_us)
    }
}

/// Compares a run with an earlier one.
pub fn changes(before: &Results, after: &Results) -> Changes {
    let has_same_task = own_task(before) == own_task(after);
    let mut changes = Vec::new();
    for measured in &after.measured {
        let Some(earlier) = before.of(measured.variant) else {
            continue;
        };
        let earlier = figures(earlier, has_same_task);
        for (figure, after_times) in figures(measured, has_same_task) {
            let Some((_, before_times)) = earlier.iter().find(|(name, _)| *name == figure) else {
                continue;
            };
            let floor = moved(before, after, &figure);
            changes.push(Change {
                variant: measured.variant,
                before_us: before_times.p50,
                after_us: after_times.p50,
                kind: kind(before_times, after_times, floor),
                figure,
            });
        }
    }
    Changes {
        since: before.created_at.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        circumstances: circumstances(before, after),
        changes,
    }
}

fn own_task(results: &Results) -> Option<&Value> {
    Some(&results.settings.own_task.as_ref()?.task)
}

/// The figures of a way that have samples; those of the reader's own task if it was the same in both runs.
fn figures(measured: &Measured, has_same_task: bool) -> Vec<(String, &Distribution)> {
    let mut figures = Vec::new();
    if let Some(first) = measured.first_invocation() {
        figures.push(("init".to_owned(), &first.init_us));
        figures.push(("first answer, cold".to_owned(), &first.first_answer_us));
    }
    if let Some(task) = measured.cold_task() {
        figures.push(("task started, cold".to_owned(), &task.request_to_started_us));
    }
    if let Some(init) = measured
        .cold
        .as_ref()
        .and_then(|cold| cold.worker_init_us.as_ref())
    {
        figures.push(("worker's init".to_owned(), init));
    }
    if let Some(own) = measured.own_task.as_ref().filter(|_| has_same_task) {
        let times = [
            ("works for", &own.started_to_finished_us),
            ("accepted to ended", &own.accepted_to_finished_us),
        ];
        for (figure, times) in times {
            figures.extend(
                times
                    .as_ref()
                    .map(|times| (format!("your task: {figure}"), times)),
            );
        }
    }
    for load in &measured.load {
        let rate = load.rate_per_second;
        figures.push((format!("answer at {rate}/s"), &load.accept_us));
        if let Some(task) = &load.task {
            figures.push((format!("started at {rate}/s"), &task.accepted_to_started_us));
        }
    }
    figures
}

/// The floor's figure that moves with this one: it runs no task and has no worker.
fn floors(figure: &str) -> String {
    match figure {
        "worker's init" => "init".to_owned(),
        "task started, cold" => "first answer, cold".to_owned(),
        other => other.replacen("started at", "answer at", 1),
    }
}

/// By what the floor's median moved, up or down; 0 where the floor has no such figure.
fn moved(before: &Results, after: &Results, figure: &str) -> f64 {
    let figure = floors(figure);
    let median = |results: &Results| {
        let floor = results.of(Variant::Noop)?;
        let figures = figures(floor, false);
        let (_, times) = figures.iter().find(|(name, _)| *name == figure)?;
        Some(times.p50)
    };
    median(before)
        .zip(median(after))
        .map_or(0.0, |(before, after)| growth(before, after).abs())
}

fn growth(before: u64, after: u64) -> f64 {
    after as f64 / before.max(1) as f64 - 1.0
}

fn kind(before: &Distribution, after: &Distribution, floor_moved: f64) -> Kind {
    let growth = growth(before.p50, after.p50);
    let is_large = growth.abs() > SMALLEST_CHANGE.max(floor_moved);
    if !is_large || rank_test(before, after).abs() < SIGNIFICANT {
        Kind::Noise
    } else if growth < 0.0 {
        Kind::Faster
    } else {
        Kind::Slower
    }
}

/// The standardised statistic of the test: above 0 where the second tends to be larger.
fn rank_test(first: &Distribution, second: &Distribution) -> f64 {
    let (n, m) = (first.count as f64, second.count as f64);
    let mut values: Vec<u64> = [first, second]
        .iter()
        .flat_map(|times| times.recorded.iter().map(|(value, _)| *value))
        .collect();
    values.sort_unstable();
    values.dedup();
    let count = |times: &Distribution, value: u64| {
        let found = times.recorded.binary_search_by_key(&value, |(value, _)| *value);
        found.map_or(0.0, |index| times.recorded[index].1 as f64)
    };
    let (mut ranked, mut second_ranks, mut ties) = (0.0, 0.0, 0.0);
    for value in values {
        let (in_first, in_second) = (count(first, value), count(second, value));
        let equal = in_first + in_second;
        // Those that are equal share the mean of their ranks.
        second_ranks += in_second * f64::midpoint(ranked + 1.0, ranked + equal);
        ranked += equal;
        ties += equal.powi(3) - equal;
    }
    let total = n + m;
    let statistic = second_ranks - m * (m + 1.0) / 2.0;
    let variance = n * m / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 0.0;
    }
    (statistic - n * m / 2.0) / variance.sqrt()
}

fn circumstances(before: &Results, after: &Results) -> Vec<String> {
    let pairs = [
        ("machine", &before.machine.cpu, &after.machine.cpu),
        ("system", &before.machine.os, &after.machine.os),
        ("compiler", &before.machine.rustc, &after.machine.rustc),
        ("commit", &before.machine.commit, &after.machine.commit),
        ("platform", &before.platform, &after.platform),
    ];
    let mut differences: Vec<String> = pairs
        .iter()
        .filter(|(_, before, after)| before != after)
        .map(|(what, before, after)| format!("another {what}: {before} before, {after} now"))
        .collect();
    let sizes = [
        ("cores", before.machine.cores as u64, after.machine.cores as u64),
        (
            "bytes of memory",
            before.machine.memory_bytes,
            after.machine.memory_bytes,
        ),
    ];
    for (what, before, after) in sizes.iter().filter(|(_, before, after)| before != after) {
        differences.push(format!("another number of {what}: {before} before, {after} now"));
    }
    if before.settings != after.settings {
        differences.push("other settings: not all figures have as many samples".to_owned());
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(median: u64, samples: u64) -> Distribution {
        Distribution::of((0..samples).map(|index| median + index * 4 - samples * 2)).unwrap()
    }

    #[test]
    fn the_test_agrees_with_a_worked_example() {
        // U = 1 of the first, 24 of the second; (24 - 12.5) / sqrt(5 * 5 * 11 / 12) = 2.402.
        let first = Distribution::of([1, 2, 3, 4, 6]).unwrap();
        let second = Distribution::of([5, 7, 8, 9, 10]).unwrap();
        assert!((rank_test(&first, &second) - 2.402).abs() < 0.001);
        assert!((rank_test(&second, &first) + 2.402).abs() < 0.001);
    }

    #[test]
    fn equal_samples_are_no_change() {
        let same = Distribution::of([5, 5, 5]).unwrap();
        assert!(rank_test(&same, &same).abs() < 1e-9);
    }

    #[test]
    fn a_change_is_large_and_significant() {
        assert_eq!(kind(&around(2000, 50), &around(2400, 50), 0.0), Kind::Slower);
        assert_eq!(kind(&around(2400, 50), &around(2000, 50), 0.0), Kind::Faster);
        assert_eq!(
            kind(&around(2000, 50), &around(2080, 50), 0.0),
            Kind::Noise,
            "4 %"
        );
        assert_eq!(
            kind(&around(2000, 2), &around(2400, 2), 0.0),
            Kind::Noise,
            "two samples"
        );
    }

    #[test]
    fn what_the_floor_does_not_do_is_held_against_the_next_that_it_does() {
        assert_eq!(floors("started at 50/s"), "answer at 50/s");
        assert_eq!(floors("worker's init"), "init");
        assert_eq!(floors("answer at 50/s"), "answer at 50/s");
    }

    #[test]
    fn what_the_machine_did_to_the_floor_is_no_change_of_ours() {
        assert_eq!(kind(&around(2000, 50), &around(2400, 50), 0.25), Kind::Noise);
    }
}
