//! Many execution environments at once.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{LocalCloud, function, until};

const BURST: usize = 500;

/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>: each of them needs an environment of its own, because all run at the same time.
#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_invocations_run_at_the_same_time() {
    let cloud = LocalCloud::up(&function("Function", "Timeout: 60"), &["--idle-timeout", "5"]);
    let started = Instant::now();
    let sleep = json!({"do": [{"sleep": 1_000}]});
    let outcomes = futures_util::future::join_all((0..BURST).map(|_| cloud.invoke("Function", &sleep))).await;
    for outcome in &outcomes {
        assert_eq!(
            (outcome.status, outcome.error.as_deref()),
            (200, None),
            "{}",
            cloud.log()
        );
    }
    // One after the other they would take more than eight minutes.
    assert!(
        started.elapsed() < Duration::from_secs(60),
        "{:?}",
        started.elapsed()
    );
    eprintln!(
        "{BURST} environments in {:?}, {} processes",
        started.elapsed(),
        cloud.function_processes().len()
    );
    until("the idle ones are removed", || {
        cloud.function_processes().is_empty()
    })
    .await;
}

/// An account has 1,000 concurrent invocations, of which here 900 are reserved
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>).
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_reserved_the_other_functions_share() {
    let resources = function("Reserved", "ReservedConcurrentExecutions: 900")
        + &function("One", "Timeout: 120")
        + &function("Other", "Timeout: 120");
    let cloud = LocalCloud::up(&resources, &[]);
    let sleep = json!({"do": [{"sleep": 100_000}]});
    for name in ["One", "Other"].repeat(50) {
        cloud.invoke_later(name, &sleep).await;
    }
    until("all run", || cloud.count("] START ") == 100).await;
    let response = cloud.try_invoke("One", &[], b"{}".into()).await;
    assert_eq!(response.status(), 429);
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["Reason"], "ConcurrentInvocationLimitExceeded");
    assert_eq!(cloud.invoke("Reserved", &json!({})).await.status, 200);
}

/// Whoever leaves a local cloud running for a day is to find it as it was.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; .ci/run has it"]
async fn memory_is_flat_over_a_hundred_thousand_invocations() {
    let cloud = LocalCloud::up(&function("Function", "Timeout: 60"), &[]);
    // By then the log group is full: what it keeps is bounded.
    invoke_often(&cloud, 40_000).await;
    let before = cloud.resident_memory();
    invoke_often(&cloud, 100_000).await;
    let after = cloud.resident_memory();
    eprintln!("{before} kB before, {after} kB after");
    assert!(
        after < before + before / 10,
        "{before} kB before, {after} kB after"
    );
}

async fn invoke_often(cloud: &LocalCloud, times: usize) {
    const AT_ONCE: usize = 8;
    let share = async || {
        for _ in 0..times / AT_ONCE {
            let answer = cloud.invoke_with("Function", &[], "{}").await;
            assert_eq!(answer.status(), 200);
            // Read to its end, so that the connection is used again.
            answer.bytes().await.unwrap();
        }
    };
    futures_util::future::join_all((0..AT_ONCE).map(|_| share())).await;
}
