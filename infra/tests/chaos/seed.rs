//! The same seed and the same order of events: the same faults.

use futures_util::future::join3;
use serde_json::{Value, json};

use super::{answered_by, list_tables, may_call};
use crate::support::{LocalCloud, function};

/// What became of one call after the other.
async fn calls(seed: u32) -> Vec<Value> {
    let chaos = format!("throttle=0.3,drop-response=0.3,seed={seed}");
    let cloud = LocalCloud::up(&function("Caller", &may_call()), &["--chaos", &chaos]);
    let mut answers = Vec::new();
    for _ in 0..30 {
        let answer = cloud.invoke("Caller", &answered_by(&list_tables())).await.body;
        answers.push(answer.get("status").unwrap_or(&answer).clone());
    }
    answers
}

/// Which of the invocations, one after the other, were killed: all of them are at it for as long as a kill may take.
async fn kills(seed: u32) -> Vec<bool> {
    let chaos = format!("kill=0.5,seed={seed}");
    let cloud = LocalCloud::up(&function("Function", "Timeout: 10"), &["--chaos", &chaos]);
    let mut killed = Vec::new();
    for _ in 0..8 {
        let outcome = cloud.invoke("Function", &json!({"do": [{"sleep": 1_500}]})).await;
        killed.push(outcome.error.is_some());
    }
    killed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_decides_which_calls_fail() {
    let (once, again, other) = join3(calls(7), calls(7), calls(8)).await;
    assert_eq!(once, again);
    assert_ne!(once, other);
    for answer in [json!(200), json!(400), json!("no answer")] {
        assert!(once.contains(&answer), "{once:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_decides_which_environments_are_killed() {
    let (once, again, other) = join3(kills(1), kills(1), kills(3)).await;
    assert_eq!(once, again);
    assert_eq!(once, [false, true, false, false, false, true, false, false]);
    assert_ne!(once, other);
}
