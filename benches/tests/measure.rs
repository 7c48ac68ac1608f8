//! The measurements, against a fake deployment whose figures are known.

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set should panic")]

use benches::aws::Aws;
use benches::client::Refusal;
use benches::cold::{self, ColdStarts};
use benches::faults::{self, Fault};
use benches::load::Schedule;
use benches::own_task::OwnTaskRuns;
use benches::results::{Check, Cold, Load, Settings};
use benches::target::Target;
use benches::variant::Variant;
use benches::warm::Loads;
use benches::{billing, burst, saturation};

use fake::Behaviour;
use jiff::Timestamp;
use serde_json::json;

mod fake;

const SCHEDULE: Schedule = Schedule {
    rate_per_second: 50,
    seconds: 1,
};

async fn cold_starts(target: &Target, times: u32) -> anyhow::Result<Option<Cold>> {
    let mut starts = ColdStarts::default();
    for _ in 0..times {
        starts.add(target).await?;
    }
    starts.figures()
}

/// A second of warming up and a second that counts.
async fn load(target: &Target) -> (Load, Option<Check>) {
    let mut loads = Loads::default();
    let settings = Settings {
        warm_up_seconds: 1,
        ..Settings::quick()
    };
    loads.warm_up(target, &settings).await.unwrap();
    loads.add(target, SCHEDULE).await.unwrap();
    let (mut figures, failed) = loads.figures();
    failed.unwrap();
    let load = figures.remove(0);
    (load, loads.check(target).await.unwrap())
}

async fn target(behaviour: Behaviour) -> Target {
    let aws = Aws::at(&fake::start(behaviour).await).unwrap();
    let found = Target::find(&aws, behaviour.variant.name(), behaviour.variant).await;
    found.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cold_starts_come_from_the_report_line_and_the_task_record() {
    let target = target(Behaviour::good(Variant::SqsWorker)).await;
    let cold = cold_starts(&target, 3).await.unwrap().unwrap();
    let first = cold.first_invocation.unwrap();
    assert_eq!((first.init_us.count, first.init_us.p50), (3, 1750));
    assert_eq!(first.max_memory_mb.max, 14);
    let task = cold.task.unwrap();
    assert_eq!(task.accepted_to_started_us.p50, 1500);
    assert!(task.request_to_started_us.p50 > 1500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_floor_has_cold_starts_but_no_tasks() {
    let target = target(Behaviour::good(Variant::Noop)).await;
    let cold = cold_starts(&target, 1).await.unwrap().unwrap();
    let (load, check) = load(&target).await;
    assert!(cold.task.is_none() && load.task.is_none() && check.is_none());
    assert_eq!(load.accept_us.count, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_that_was_not_fresh_is_no_cold_start() {
    let target = target(Behaviour {
        resets: false,
        ..Behaviour::good(Variant::SelfInvoke)
    })
    .await;
    let error = cold_starts(&target, 2).await.unwrap_err();
    assert!(error.to_string().contains("not a cold start"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_task_under_load_is_followed_to_its_end() {
    let target = target(Behaviour::good(Variant::SplitLambda)).await;
    let (load, check) = load(&target).await;
    let task = load.task.unwrap();
    assert_eq!((load.sent, load.accepted), (50, 50));
    assert_eq!(
        (task.accepted_to_started_us.count, task.accepted_to_started_us.p50),
        (50, 1500)
    );
    let check = check.unwrap();
    assert_eq!((check.accepted, check.ended["succeeded"]), (100, 100));
    assert_eq!(check.picture.points_inside, 12345);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_requests_are_counted_apart() {
    let behaviour = Behaviour {
        refuses_one_in: Some(10),
        ..Behaviour::good(Variant::Noop)
    };
    let (load, _) = load(&target(behaviour).await).await;
    assert_eq!((load.accepted, load.accept_us.count), (45, 45));
    assert_eq!(load.refused["status 503"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_fail_are_counted_by_how_they_ended() {
    let behaviour = Behaviour {
        ended: "failed",
        ..Behaviour::good(Variant::SelfInvoke)
    };
    let (_, check) = load(&target(behaviour).await).await;
    assert_eq!(check.unwrap().ended["failed"], 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_of_ones_own_is_followed_each_time_it_is_handed_in() {
    for (ended, not_succeeded) in [("succeeded", 0), ("failed", 3)] {
        let behaviour = Behaviour {
            ended,
            ..Behaviour::good(Variant::SqsWorker)
        };
        let target = target(behaviour).await;
        let mut tasks = OwnTaskRuns::default();
        assert!(tasks.figures(&target).await.unwrap().is_none());
        for _ in 0..3 {
            tasks
                .add(&target, &json!({"kind": "sleep", "millis": 20}))
                .await
                .unwrap();
        }
        let own = tasks.figures(&target).await.unwrap().unwrap();
        assert_eq!(
            (own.sent, own.ended[ended], own.not_succeeded()),
            (3, 3, not_succeeded)
        );
        // What fails soon is not fast.
        let succeeded = (ended == "succeeded").then_some(3);
        let works_for = own.started_to_finished_us;
        assert_eq!(works_for.as_ref().map(|times| times.count), succeeded);
        // Recorded with three significant digits.
        assert!(works_for.is_none_or(|times| (18_480..=18_520).contains(&times.p50)));
        assert_eq!(own.max_memory_used_mb.unwrap().count, 3);
        assert_eq!(own.result, Some(json!({"slept_millis": 0})));
        assert!(!own.results_differ);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_of_ones_own_that_the_api_finds_fault_with_is_not_tried_on() {
    let target = target(Behaviour::good(Variant::SplitLambda)).await;
    let mut tasks = OwnTaskRuns::default();
    let error = tasks.add(&target, &json!({"kind": "unknown"})).await.unwrap_err();
    assert!(error.is::<Refusal>(), "{error:#}");
    assert!(
        error.to_string().contains("kind: there is no unknown"),
        "{error:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cold_starts_can_be_had_with_another_memory_size() {
    let target = target(Behaviour::good(Variant::SelfInvoke)).await;
    let by_memory = cold::with_memory(&target, 1769, 2).await.unwrap();
    assert_eq!(by_memory.memory_mb, 1769);
    assert_eq!(by_memory.first_invocation.init_us.count, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_is_followed_to_its_end() {
    let target = target(Behaviour::good(Variant::SqsWorker)).await;
    let burst = burst::measure(&target, 40).await.unwrap();
    assert_eq!((burst.sent, burst.accepted, burst.accept_us.count), (40, 40, 40));
    assert_eq!(burst.succeeded, 40);
    assert!(burst.all_finished_us >= 20_000 && burst.all_started_us < burst.all_finished_us);
    assert_eq!(burst.environments, Some(1), "the first task started one");
    assert!(burst.most_at_once > 1 && burst.course.last().unwrap().running == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_counts_the_tasks_that_succeed() {
    let behaviour = Behaviour {
        ended: "failed",
        ..Behaviour::good(Variant::SqsWorker)
    };
    let burst = burst::measure(&target(behaviour).await, 10).await.unwrap();
    assert_eq!((burst.accepted, burst.succeeded), (10, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_at_a_record_that_fails_is_repeated() {
    let behaviour = Behaviour {
        first_look_fails: true,
        ..Behaviour::good(Variant::SqsWorker)
    };
    let burst = burst::measure(&target(behaviour).await, 10).await.unwrap();
    assert_eq!((burst.accepted, burst.accept_us.count), (10, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_refuses_is_driven_no_further() {
    let behaviour = Behaviour {
        refuses_one_in: Some(10),
        ..Behaviour::good(Variant::Noop)
    };
    let saturation = saturation::measure(&target(behaviour).await, 40).await;
    assert_eq!(saturation.gave_first, Some(saturation::Limit::Refused));
    assert_eq!((saturation.steps.len(), saturation.sustained_per_second), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_refuses_everything_has_a_limit_too() {
    let behaviour = Behaviour {
        refuses_one_in: Some(1),
        ..Behaviour::good(Variant::Noop)
    };
    let saturation = saturation::measure(&target(behaviour).await, 40).await;
    assert_eq!(saturation.gave_first, Some(saturation::Limit::Refused));
    assert_eq!(
        (saturation.steps.len(), saturation.first_missed_per_second),
        (0, Some(40))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_meet_a_fault_are_counted_by_what_became_of_them() {
    let behaviour = Behaviour {
        ended: "failed",
        refuses_one_in: Some(4),
        ..Behaviour::good(Variant::SplitLambda)
    };
    let run = faults::run(&target(behaviour).await, Fault::Throttled, 8)
        .await
        .unwrap();
    assert_eq!((run.answers["status 202"], run.answers["status 503"]), (6, 2));
    assert_eq!((run.accepted, run.ended["failed"], run.never_ended), (6, 6, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_billed_comes_from_the_report_lines() {
    for variant in Variant::ALL {
        let target = target(Behaviour::good(variant)).await;
        let begin = Timestamp::now();
        load(&target).await;
        let billed = billing::measure(&target, begin, 100).await.unwrap();
        let api = billed.api.unwrap();
        assert_eq!((api.duration_ms.p50, api.memory_mb), (6, 256));
        let worker = billed.worker.unwrap();
        // A warm-up and a load of fifty and a picture, the first of them cold.
        assert_eq!((worker.duration_ms.count, worker.duration_ms.p50), (100, 4));
        assert_eq!(worker.memory_mb, 512);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_workers_init_durations_come_from_its_log() {
    for (variant, expected) in [
        // Each first request finds it reset; the very first invocation finds nothing.
        (Variant::SplitLambda, 4),
        // It is reset for a first invocation as well.
        (Variant::SelfInvoke, 6),
    ] {
        let target = target(Behaviour::good(variant)).await;
        let begin = Timestamp::now();
        cold_starts(&target, 3).await.unwrap();
        let init = cold::worker_init(&target, begin, 3).await.unwrap().unwrap();
        assert_eq!((init.count, init.p50), (expected, 2000));
    }
    let target = target(Behaviour::good(Variant::Noop)).await;
    assert_eq!(
        cold::worker_init(&target, Timestamp::now(), 3).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_deployment_that_lacks_a_function_is_refused() {
    let behaviour = Behaviour {
        names_its_worker: false,
        ..Behaviour::good(Variant::SplitLambda)
    };
    let aws = Aws::at(&fake::start(behaviour).await).unwrap();
    let found = Target::find(&aws, "split-lambda", Variant::SplitLambda).await;
    let error = format!("{:#}", found.unwrap_err());
    assert!(
        error.contains("split-lambda") && error.contains("WorkerFunction"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stack_that_is_not_there_is_no_error() {
    let aws = Aws::at(&fake::start(Behaviour::good(Variant::SplitLambda)).await).unwrap();
    let found = Target::find(&aws, "another", Variant::SplitLambda).await.unwrap();
    assert!(found.is_none());
}
