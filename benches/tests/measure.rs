//! The measurements, against a fake deployment whose figures are known.

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set should panic")]

use benches::results::Settings;
use benches::target::Target;
use benches::variant::Variant;
use benches::{cold, progress::Phase, warm};

use fake::Behaviour;

mod fake;

fn minimal() -> Settings {
    Settings {
        quick: true,
        cold_starts: 2,
        rates_per_second: vec![50],
        seconds_per_rate: 1,
        warm_up_seconds: 1,
        soak: None,
    }
}

async fn target(behaviour: Behaviour) -> Target {
    Target::new(behaviour.variant, &fake::start(behaviour).await).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cold_starts_come_from_the_report_line_and_the_task_record() {
    let target = target(Behaviour::good(Variant::SqsWorker)).await;
    let cold = cold::measure(&target, 3, &Phase::silent()).await.unwrap();
    assert_eq!((cold.init_us.count, cold.init_us.p50), (3, 1750));
    assert_eq!(cold.max_memory_mb.max, 14);
    let task = cold.task.unwrap();
    assert_eq!(task.accepted_to_started_us.p50, 1500);
    assert!(task.request_to_started_us.p50 > 1500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_floor_has_cold_starts_but_no_tasks() {
    let target = target(Behaviour::good(Variant::Noop)).await;
    let cold = cold::measure(&target, 1, &Phase::silent()).await.unwrap();
    let (load, check) = warm::measure(&target, &minimal()).await.unwrap();
    assert!(cold.task.is_none() && load[0].task.is_none() && check.is_none());
    assert_eq!(load[0].accept_us.count, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_environment_that_was_not_fresh_is_no_cold_start() {
    let target = target(Behaviour {
        resets: false,
        ..Behaviour::good(Variant::SelfInvoke)
    })
    .await;
    let error = cold::measure(&target, 2, &Phase::silent()).await.unwrap_err();
    assert!(error.to_string().contains("not a cold start"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_task_under_load_is_followed_to_its_end() {
    let target = target(Behaviour::good(Variant::SplitLambda)).await;
    let (load, check) = warm::measure(&target, &minimal()).await.unwrap();
    let task = load[0].task.as_ref().unwrap();
    assert_eq!((load[0].sent, load[0].accepted), (50, 50));
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
    let (load, _) = warm::measure(&target(behaviour).await, &minimal()).await.unwrap();
    assert_eq!((load[0].accepted, load[0].accept_us.count), (45, 45));
    assert_eq!(load[0].refused["status 503"], 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_that_fail_are_counted_by_how_they_ended() {
    let behaviour = Behaviour {
        ended: "failed",
        ..Behaviour::good(Variant::SelfInvoke)
    };
    let (_, check) = warm::measure(&target(behaviour).await, &minimal()).await.unwrap();
    assert_eq!(check.unwrap().ended["failed"], 100);
}

#[tokio::test]
async fn a_deployment_that_lacks_a_function_is_refused() {
    let mut endpoints = fake::start(Behaviour::good(Variant::SplitLambda)).await;
    endpoints.functions.pop();
    let error = Target::new(Variant::SplitLambda, &endpoints)
        .unwrap_err()
        .to_string();
    assert!(error.contains("WorkerFunction"), "{error}");
}
