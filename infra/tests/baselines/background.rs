//! The task that is spawned in the function's process. After the response its environment is frozen
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    records,
    support::{LocalCloud, Template, until},
    template,
};

/// With one environment, which every request uses: with more of them it is chance whether a request thaws the one that
/// has the task.
fn up() -> LocalCloud {
    let timeout = "      Timeout: 35\n";
    let reserved = format!("{timeout}      ReservedConcurrentExecutions: 1\n");
    let limited = Template::changed_file(&template("background"), &[(timeout, &reserved)]);
    LocalCloud::up_changed("background", limited, &[])
}

/// Looks at the task until it is as wanted. A look that comes too early is throttled.
async fn task_once(cloud: &LocalCloud, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let task = cloud
            .retried(|| cloud.request(Method::GET, &format!("/tasks/{id}")))
            .await;
        if wanted(&task) {
            return task;
        }
        assert!(started.elapsed().as_secs() < 240, "still {task}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_task_stands_still_after_the_response_and_goes_on_with_later_requests() {
    let cloud = up();
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
    let ended = task_once(&cloud, &id, |task| !task["finished_at"].is_null()).await;
    assert_eq!(
        (&ended["status"], &ended["attempts"]),
        (&json!("succeeded"), &json!(1))
    );
}

/// Nobody delivers it again.
#[tokio::test(flavor = "multi_thread")]
async fn the_task_is_lost_with_its_environment() {
    let cloud = up();
    let id = cloud.accept(&json!({"kind": "sleep", "millis": 600_000})).await;
    task_once(&cloud, &id, |task| task["status"] == "running").await;
    cloud.kill_functions();
    let left = records(&cloud).await;
    // A new environment knows nothing of it.
    let task = task_once(&cloud, &id, |_| true).await;
    assert_eq!(task["status"], "running");
    assert_eq!(records(&cloud).await, left);
}
