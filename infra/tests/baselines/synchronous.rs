//! The plain request, and API Gateway's 30 seconds
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).

use std::time::Instant;

use serde_json::{Value, json};

use crate::{only_record_becomes, up};

#[tokio::test(flavor = "multi_thread")]
async fn the_task_is_run_within_the_request() {
    let cloud = up("synchronous", &[]);
    let response = cloud.post(&json!({"kind": "sleep", "millis": 300})).await;
    assert_eq!(response.status(), 200, "{}", cloud.log());
    let task: Value = response.json().await.unwrap();
    assert_eq!(task["status"], "succeeded");
    assert_eq!(cloud.task(task["id"].as_str().unwrap()).await, task);
    let refused = cloud.post(&json!({"kind": "nap"})).await;
    assert_eq!(refused.status(), 400);
}

/// The task ends all the same; its client never learns under which id.
#[tokio::test(flavor = "multi_thread")]
async fn what_takes_longer_than_thirty_seconds_is_answered_by_the_gateway() {
    let cloud = up("synchronous", &[]);
    let begun = Instant::now();
    let response = cloud.post(&json!({"kind": "sleep", "millis": 31_000})).await;
    let elapsed = begun.elapsed().as_secs_f64();
    assert_eq!(response.status(), 503, "{}", cloud.log());
    assert!((30.0..31.0).contains(&elapsed), "{elapsed} s");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"message": "Service Unavailable"}));
    only_record_becomes(&cloud, "succeeded").await;
}
