//! The server that is always there
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html>).

use std::time::Instant;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    records,
    support::{LocalCloud, id_of, until},
    up,
};

/// Asks for a task to be run within the request.
async fn wait_for(cloud: &LocalCloud, millis: u32) -> reqwest::Response {
    let request = cloud.request(Method::POST, "/tasks").header("prefer", "wait");
    let request = request.json(&json!({"kind": "sleep", "millis": millis}));
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_accepted_and_runs_after_the_response() {
    let cloud = up("always-on", &[]);
    let response = cloud.post(&json!({"kind": "sleep", "millis": 1_500})).await;
    assert_eq!(response.status(), 202, "{}", cloud.log());
    assert!(
        response.headers()["location"]
            .to_str()
            .unwrap()
            .starts_with("/tasks/")
    );
    let id = id_of(&response.json().await.unwrap());
    let ended = cloud.ended(&id).await;
    assert_eq!(
        (&ended["status"], &ended["attempts"]),
        (&json!("succeeded"), &json!(1))
    );
    let refused = cloud.post(&json!({"kind": "nap"})).await;
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let large = cloud.post(&json!({"kind": "x".repeat(1024 * 1024)})).await;
    assert_eq!(large.status(), 413);
    assert_eq!(large.headers()["content-type"], "application/problem+json");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_may_take_longer_than_thirty_seconds() {
    let cloud = up("always-on", &[]);
    let begun = Instant::now();
    let response = wait_for(&cloud, 31_000).await;
    assert_eq!(response.status(), 200, "{}", cloud.log());
    assert!(begun.elapsed().as_secs() >= 31);
    let task: Value = response.json().await.unwrap();
    assert_eq!(task["status"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_load_balancer_waits_as_long_as_its_idle_timeout() {
    let cloud = up("always-on", &["--parameter", "IdleTimeout=1"]);
    assert_eq!(wait_for(&cloud, 100).await.status(), 200);
    let response = wait_for(&cloud, 3_000).await;
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(response.headers()["server"], "awselb/2.0");
}

/// What was accepted is lost: its record stays as it is, and the new process takes up nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_is_started_again_and_its_tasks_are_lost() {
    let cloud = up("always-on", &[]);
    let id = cloud.accept(&json!({"kind": "sleep", "millis": 600_000})).await;
    cloud.task_once(&id, |task| task["status"] == "running").await;
    let (cut_off, ()) = tokio::join!(wait_for(&cloud, 60_000), async {
        while records(&cloud).await.len() < 2 {}
        cloud.kill_functions();
    });
    assert_eq!(cut_off.status(), StatusCode::BAD_GATEWAY);
    until("its end is noticed", || cloud.log().contains("signal: killed")).await;
    let none = cloud.request(Method::GET, "/tasks/1").send().await.unwrap();
    assert_eq!(none.status(), StatusCode::SERVICE_UNAVAILABLE);
    let left = records(&cloud).await;
    let task = cloud
        .retried(|| cloud.request(Method::GET, &format!("/tasks/{id}")))
        .await;
    assert_eq!(task["status"], "running");
    let next = cloud.accept(&json!({"kind": "sleep", "millis": 5})).await;
    assert_eq!(cloud.ended(&next).await["status"], "succeeded");
    for record in left {
        assert!(records(&cloud).await.contains(&record), "{record}");
    }
}
