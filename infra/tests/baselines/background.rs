//! The task that is spawned in the function's process. After the response its environment is frozen
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).

use std::time::Duration;

use serde_json::json;

use crate::{records, support::until, up};

#[tokio::test(flavor = "multi_thread")]
async fn the_task_stands_still_after_the_response_and_goes_on_with_later_requests() {
    let cloud = up("background", &[]);
    // Less than half a second of computing.
    let task = json!({"kind": "mandelbrot", "width": 256, "height": 256, "max_iterations": 10_000});
    let id = cloud.accept(&task).await;
    until("the environment is frozen", || {
        cloud.function_processes().iter().all(|(_, state)| *state == 'T')
    })
    .await;
    let before = records(&cloud).await;
    // As long as the work could have taken, and then some.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = records(&cloud).await;
    assert_eq!(before, after);
    assert!(
        ["queued", "running"].contains(&after[0]["status"]["S"].as_str().unwrap()),
        "{after:?}"
    );
    let ended = cloud.ended(&id).await;
    assert_eq!(
        (&ended["status"], &ended["attempts"]),
        (&json!("succeeded"), &json!(1))
    );
}

/// Nobody delivers it again.
#[tokio::test(flavor = "multi_thread")]
async fn the_task_is_lost_with_its_environment() {
    let cloud = up("background", &[]);
    let id = cloud.accept(&json!({"kind": "sleep", "millis": 600_000})).await;
    cloud.task_once(&id, |task| task["status"] == "running").await;
    cloud.kill_functions();
    let left = records(&cloud).await;
    // A new environment knows nothing of it.
    assert_eq!(cloud.task(&id).await["status"], "running");
    assert_eq!(records(&cloud).await, left);
}
