//! A worker that dies in the middle of a task.

use serde_json::json;

use crate::support::each_variant;

/// Within about a minute, in every variant. The asynchronous queue tries again after 60 s, here after 35, when the lease
/// of 30 s has lapsed; with SQS the message is visible again 40 s after the worker last renewed its hold on it.
#[tokio::test(flavor = "multi_thread")]
async fn the_task_of_a_killed_worker_is_taken_up_again() {
    each_variant(&["--time-scale", "1.714"], async |cloud| {
        let id = cloud.accept(&json!({"kind": "sleep", "millis": 3_000})).await;
        cloud.task_once(&id, |task| task["status"] == "running").await;
        cloud.kill_the_working_function().await;
        let ended = cloud.ended(&id).await;
        assert_eq!(
            (&ended["status"], &ended["attempts"]),
            (&json!("succeeded"), &json!(2)),
            "{}",
            cloud.variant
        );
        assert!(
            cloud.log().contains("Runtime exited with error: signal: killed"),
            "{}",
            cloud.log()
        );
    })
    .await;
}
