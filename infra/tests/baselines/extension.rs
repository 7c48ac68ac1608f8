//! The extension that works on after the response: until then its invocation has not ended
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>).

use serde_json::{Value, json};

use crate::{only_record_becomes, records, up};

#[tokio::test(flavor = "multi_thread")]
async fn the_task_runs_after_the_response_and_no_later_request_is_needed() {
    let cloud = up("extension", &[]);
    cloud.accept(&json!({"kind": "sleep", "millis": 2_000})).await;
    let found = records(&cloud).await;
    assert!(found[0].get("result").is_none(), "{found:?}");
    only_record_becomes(&cloud, "succeeded").await;
}

/// Its environment is at work until then; requests get others.
#[tokio::test(flavor = "multi_thread")]
async fn the_task_has_no_more_time_than_the_function() {
    let cloud = up("extension", &["--parameter", "TaskTimeout=4"]);
    let id = cloud.accept(&json!({"kind": "sleep", "millis": 60_000})).await;
    let ended: Value = cloud.ended(&id).await;
    assert_eq!(
        (&ended["status"], &ended["error"]["code"]),
        (&json!("failed"), &json!("deadline_exceeded"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_process_dies_stays_as_it_is() {
    let cloud = up("extension", &[]);
    let id = cloud.accept(&json!({"kind": "sleep", "millis": 600_000})).await;
    cloud.task_once(&id, |task| task["status"] == "running").await;
    cloud.kill_the_working_function().await;
    let left = records(&cloud).await;
    assert_eq!(cloud.task(&id).await["status"], "running");
    assert_eq!(records(&cloud).await, left);
}
