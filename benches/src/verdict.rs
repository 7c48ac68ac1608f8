//! Which variant to pick, in five situations: by rules over the figures that are printed with what they decide. Where a
//! figure is missing, nothing is decided.

use crate::cost::REFERENCE_SECONDS;
use crate::faults::Fault;
use crate::place::LOCAL;
use crate::report::format::{count, dollars, task_length, time};
use crate::results::{Check, Measured, Results};
use crate::statistics::Distribution;
use crate::variant::Variant;

/// What to pick in a situation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The reader's situation.
    pub situation: &'static str,
    /// What to pick; `None` where the figures do not decide.
    pub pick: Option<Variant>,
    /// The figures that decide, or why none do.
    pub because: String,
    /// How they decide.
    pub rule: &'static str,
}

/// How many tasks a month the rule for costs goes by.
const TASKS_A_MONTH: f64 = 1e6;

/// A burst is one sample: what differs by less than this is the same.
const SAME_BURST: f64 = 1.1;

/// Costs that differ by less than this are the same: the model is not more exact.
const SAME_COST: f64 = 1.02;

/// The verdicts, in the order of the report.
pub fn verdicts(results: &Results) -> Vec<Verdict> {
    let mut verdicts = vec![
        one_slow_endpoint(results),
        many_slow_endpoints(results),
        bursts(results),
        no_loss(results),
        cost_first(results),
    ];
    if results.variants().count() < 2 {
        for verdict in &mut verdicts {
            verdict.pick = None;
            "Of fewer than two variants there is none to pick.".clone_into(&mut verdict.because);
        }
    }
    verdicts
}

fn verdict(
    situation: &'static str,
    rule: &'static str,
    decided: Option<(Variant, String)>,
    missing: &str,
) -> Verdict {
    let (pick, because) = match decided {
        Some((pick, because)) => (Some(pick), because),
        None => (None, missing.to_owned()),
    };
    Verdict {
        situation,
        pick,
        because,
        rule,
    }
}

fn one_slow_endpoint(results: &Results) -> Verdict {
    let mut counted: Vec<(Variant, [u64; 3])> = safe(results)
        .filter_map(|measured| {
            let complexity = measured.complexity.as_ref()?;
            let counts = [
                complexity.functions,
                complexity.resources,
                complexity.lines.unwrap_or(0),
            ];
            Some((measured.variant, counts))
        })
        .collect();
    counted.sort_by_key(|(_, counts)| *counts);
    let decided = counted.first().map(|&(pick, _)| {
        let all = counted.iter().map(|(variant, [functions, resources, lines])| {
            format!("{variant}: functions {functions}, resources {resources}, own lines {lines}")
        });
        (pick, format!("{}.", all.collect::<Vec<_>>().join("; ")))
    });
    verdict(
        "A small function with one slow endpoint",
        "Of the variants that lost no accepted task in this run: the fewest functions, then the fewest resources, then the \
         fewest lines.",
        decided,
        &undecided(results, "Nothing could be counted."),
    )
}

fn many_slow_endpoints(results: &Results) -> Verdict {
    let rate = results.settings.reference_rate();
    let mut starts: Vec<(&Measured, &Distribution)> = safe(results)
        .filter(|measured| measured.variant.functions() > 1)
        .filter_map(|measured| {
            let start = &measured.load_at(rate)?.task.as_ref()?.accepted_to_started_us;
            Some((measured, start))
        })
        .collect();
    starts.sort_by_key(|(_, start)| start.p50);
    let alike = starts
        .iter()
        .filter(|(_, start)| starts.first().is_some_and(|(_, first)| start.p25 <= first.p75));
    let resources = |measured: &Measured| {
        measured
            .complexity
            .as_ref()
            .map(|complexity| complexity.resources)
    };
    let decided = alike.min_by_key(|(measured, _)| resources(measured)).map(|(pick, _)| {
        let all = starts
            .iter()
            .map(|(measured, start)| format!("{} starts a task within {}", measured.variant, time(start.p50)));
        let all: Vec<_> = all.collect();
        (
            pick.variant,
            format!(
                "Its worker has memory, timeout and permissions of its own. {} (median at {rate} requests/s).",
                all.join(", ")
            ),
        )
    });
    verdict(
        "Many slow endpoints, with needs of their own",
        "Of the variants whose worker is a function of its own and that lost no accepted task: the shortest median from \
         accepted to started; where the middle halves of the samples overlap, the fewest resources.",
        decided,
        &undecided(
            results,
            "No variant with a worker of its own was measured under load.",
        ),
    )
}

fn bursts(results: &Results) -> Verdict {
    let bursts = safe(results).filter_map(|measured| Some((measured.variant, measured.burst.as_ref()?)));
    let (mut bursts, falling_short): (Vec<_>, Vec<_>) =
        bursts.partition(|(_, burst)| burst.succeeded == burst.sent);
    bursts.sort_by_key(|(_, burst)| burst.all_finished_us);
    let falling_short: Vec<String> = falling_short
        .iter()
        .map(|(variant, burst)| {
            format!(
                " {variant} refused {}; {} of the others did not succeed.",
                count(burst.sent - burst.accepted),
                count(burst.accepted - burst.succeeded)
            )
        })
        .collect();
    let first = bursts.first().map_or(0, |(_, burst)| burst.all_finished_us);
    let alike = bursts
        .iter()
        .filter(|(_, burst)| burst.all_finished_us as f64 <= first as f64 * SAME_BURST);
    let pick = alike.min_by_key(|(variant, _)| variant.functions());
    let decided = pick.map(|&(pick, burst)| {
        let all = bursts.iter().map(|(variant, burst)| {
            format!(
                "{variant} had begun all of them after {} and was done after {}",
                time(burst.all_started_us),
                time(burst.all_finished_us)
            )
        });
        let all: Vec<_> = all.collect();
        (
            pick,
            format!(
                "{} tasks of 1 s at once: {}.{} If what comes after the worker cannot take so much at once, take \
                 sqs-worker: its MaximumConcurrency lets the rest wait, where it can be seen.",
                count(burst.sent),
                all.join("; "),
                falling_short.concat()
            ),
        )
    });
    verdict(
        "Bursts, to be done soon",
        "Of the variants that refused no request of the burst, and with which each task of it succeeded: the one that was done \
         first; of those that took at most 10 % longer, the fewest functions.",
        decided,
        &undecided(
            results,
            "With no variant each task of a burst was accepted and succeeded.",
        ),
    )
}

fn no_loss(results: &Results) -> Verdict {
    let mut recoveries: Vec<_> = safe(results)
        .filter(|measured| has_met_each_fault(measured))
        .filter_map(|measured| {
            let killed = measured.faults.iter().find(|run| run.fault == Fault::Killed)?;
            Some((measured.variant, killed.recovered_us.as_ref()?))
        })
        .collect();
    recoveries.sort_by_key(|(_, recovery)| recovery.p50);
    let alike = recoveries.iter().filter(|(_, recovery)| {
        recoveries
            .first()
            .is_some_and(|(_, first)| recovery.p25 <= first.p75)
    });
    let pick = alike.min_by_key(|(variant, _)| variant.functions());
    let decided = pick.map(|&(pick, _)| {
        let all = recoveries.iter().map(|(variant, recovery)| {
            format!("{variant} {} (n = {})", time(recovery.p50), count(recovery.count))
        });
        let all: Vec<_> = all.collect();
        (
            pick,
            format!(
                "A task of 3 s that took a second attempt had ended after: {} (median).{}",
                all.join(", "),
                losers(results)
            ),
        )
    });
    let missing = if results.measured.iter().all(|measured| measured.faults.is_empty()) {
        if results.platform == LOCAL {
            "No single faults were measured: run cargo compare without --quick."
        } else {
            "Single faults are measured on the local cloud alone: run cargo compare without --target."
        }
    } else {
        "No variant met every fault and made up for an attempt that was lost."
    };
    verdict(
        "No task may be lost",
        "Of the variants that met every fault and lost no accepted task: the shortest median time to the end of a task that \
         took a second attempt; where the middle halves of the samples overlap, the fewest functions.",
        decided,
        &undecided(results, missing),
    )
}

fn has_met_each_fault(measured: &Measured) -> bool {
    let met = |fault: Fault| measured.faults.iter().any(|run| run.fault == fault);
    Fault::ALL
        .into_iter()
        .all(|fault| met(fault) || !fault.concerns(measured.variant))
}

fn cost_first(results: &Results) -> Verdict {
    let ways = results.costs.iter().flat_map(|costs| &costs.ways);
    let mut months: Vec<_> = ways
        .filter(|way| way.variant.is_variant())
        .filter_map(|way| Some((way.variant, way.month(TASKS_A_MONTH)?, way.idle())))
        .collect();
    months.sort_by(|a, b| a.1.total_cmp(&b.1));
    let cheapest = months.first().map(|month| month.1);
    let decided = cheapest.and_then(|cheapest| {
        let same = months
            .iter()
            .filter(|(_, month, _)| *month <= cheapest * SAME_COST);
        let pick = same
            .map(|(variant, ..)| *variant)
            .min_by_key(|variant| variant.functions())?;
        let all = months.iter().map(|(variant, month, idle)| {
            format!("{variant} {} ({} when idle)", dollars(*month), dollars(*idle))
        });
        let all: Vec<_> = all.collect();
        Some((
            pick,
            format!(
                "A month with a million tasks of {}, modelled: {}.",
                task_length(REFERENCE_SECONDS),
                all.join(", ")
            ),
        ))
    });
    verdict(
        "Cost first",
        "The cheapest month with a million tasks, by the model; of those within 2 % the one with the fewest functions.",
        decided,
        "There is nothing to model costs from.",
    )
}

/// Why nothing is decided: for that reason, unless every variant is out.
fn undecided(results: &Results, reason: &str) -> String {
    if results.variants().next().is_some() && safe(results).next().is_none() {
        format!("Every variant lost accepted tasks.{}", losers(results))
    } else {
        reason.to_owned()
    }
}

/// Who lost accepted tasks; baselines too.
fn losers(results: &Results) -> String {
    let lossy = results.measured.iter().filter(|measured| lost(measured) > 0);
    let lossy: Vec<&str> = lossy.map(|measured| measured.variant.name()).collect();
    if lossy.is_empty() {
        String::new()
    } else {
        format!(" Accepted tasks were lost by: {}.", lossy.join(", "))
    }
}

/// The variants that lost no accepted task.
fn safe(results: &Results) -> impl Iterator<Item = &Measured> {
    results.variants().filter(|measured| lost(measured) == 0)
}

/// Accepted tasks that never came to an end, as far as it was tried.
fn lost(measured: &Measured) -> u64 {
    let under_load = measured.check.as_ref().map_or(0, Check::not_ended);
    let faults: u64 = measured.faults.iter().map(|run| run.never_ended).sum();
    under_load + faults + measured.soak.as_ref().map_or(0, |soak| soak.missing)
}
