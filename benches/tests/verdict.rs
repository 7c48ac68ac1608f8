//! What the rules make of made-up figures.

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set should panic")]

use benches::results::{Measured, Results, Settings};
use benches::variant::Variant;
use benches::verdict::verdicts;

mod fixture;

const BURSTS: usize = 2;
const NO_LOSS: usize = 3;

fn of(results: &mut Results, variant: Variant) -> &mut Measured {
    let mut all = results.measured.iter_mut();
    all.find(|measured| measured.variant == variant).unwrap()
}

fn picks(results: &Results) -> Vec<Option<Variant>> {
    verdicts(results).iter().map(|verdict| verdict.pick).collect()
}

#[test]
fn each_situation_has_its_pick() {
    use Variant::{SelfInvoke, SplitLambda, SqsWorker};
    let expected = [SelfInvoke, SplitLambda, SelfInvoke, SqsWorker, SelfInvoke];
    assert_eq!(picks(&fixture::results(Settings::full())), expected.map(Some));
}

#[test]
fn what_loses_an_accepted_task_is_not_picked_but_for_its_price() {
    let mut results = fixture::results(Settings::full());
    for variant in [Variant::SelfInvoke, Variant::SqsWorker] {
        of(&mut results, variant).faults[2].never_ended = 1;
    }
    let safe = Some(Variant::SplitLambda);
    assert_eq!(picks(&results)[..4], [safe; 4]);
    assert!(
        verdicts(&results)[3]
            .because
            .contains("lost by: self-invoke, sqs-worker")
    );
}

#[test]
fn a_burst_that_was_not_accepted_as_a_whole_is_lost() {
    let mut results = fixture::results(Settings::full());
    for variant in [Variant::SelfInvoke, Variant::SplitLambda] {
        let burst = of(&mut results, variant).burst.as_mut().unwrap();
        (burst.accepted, burst.succeeded) = (burst.accepted - 90, burst.succeeded - 90);
    }
    let bursts = &verdicts(&results)[BURSTS];
    assert_eq!(bursts.pick, Some(Variant::SqsWorker));
    assert!(
        bursts.because.contains("self-invoke refused 90"),
        "{}",
        bursts.because
    );
}

#[test]
fn a_burst_whose_tasks_do_not_all_succeed_is_lost_as_well() {
    let mut results = fixture::results(Settings::full());
    of(&mut results, Variant::SelfInvoke)
        .burst
        .as_mut()
        .unwrap()
        .succeeded -= 3;
    let bursts = &verdicts(&results)[BURSTS];
    assert_ne!(bursts.pick, Some(Variant::SelfInvoke));
    let words = "self-invoke refused 0; 3 of the others did not succeed";
    assert!(bursts.because.contains(words), "{}", bursts.because);
}

#[test]
fn a_task_that_does_not_end_under_load_counts_as_lost() {
    let mut results = fixture::results(Settings::full());
    of(&mut results, Variant::SelfInvoke)
        .check
        .as_mut()
        .unwrap()
        .accepted += 1;
    assert_ne!(picks(&results)[0], Some(Variant::SelfInvoke));
}

#[test]
fn a_fault_that_was_not_met_is_not_passed() {
    let mut results = fixture::results(Settings::full());
    of(&mut results, Variant::SqsWorker).faults.remove(0);
    assert_ne!(picks(&results)[NO_LOSS], Some(Variant::SqsWorker));
}

#[test]
fn where_every_variant_loses_tasks_that_is_why_none_is_picked() {
    let mut results = fixture::results(Settings::full());
    for variant in Variant::ALL {
        of(&mut results, variant).faults[2].never_ended = 1;
    }
    for verdict in &verdicts(&results)[..4] {
        assert_eq!(verdict.pick, None);
        let words = "Every variant lost accepted tasks. Accepted tasks were lost by: self-invoke,";
        assert!(verdict.because.starts_with(words), "{}", verdict.because);
    }
}

#[test]
fn of_one_variant_none_is_picked() {
    let mut results = fixture::results(Settings::full());
    results
        .measured
        .retain(|measured| !measured.variant.is_variant() || measured.variant == Variant::SqsWorker);
    assert_eq!(picks(&results), [None; 5]);
}

#[test]
fn nothing_is_decided_without_figures() {
    let mut results = fixture::results(Settings::quick());
    assert_eq!(picks(&results)[3], None, "a quick run has no single faults");
    results.measured.clear();
    results.costs = None;
    assert_eq!(picks(&results), [None; 5]);
}

#[test]
fn a_task_that_is_missing_from_the_soak_counts_as_lost() {
    let mut results = fixture::results(fixture::settings_with_soak());
    of(&mut results, Variant::SelfInvoke)
        .soak
        .as_mut()
        .unwrap()
        .missing = 1;
    assert_ne!(picks(&results)[0], Some(Variant::SelfInvoke));
}
