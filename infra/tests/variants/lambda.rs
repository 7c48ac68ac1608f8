//! Lambda's own API, as SDKs speak it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{LocalCloud, until};

const FUNCTION: &str = "/2015-03-31/functions/WorkerFunction";

/// A message that names no task: the worker has nothing to do and succeeds.
fn message() -> Value {
    json!({"eventType": "run-task", "taskId": "00000000-0000-4000-8000-000000000000"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_invoked_synchronously_asynchronously_or_not_at_all() {
    let cloud = LocalCloud::up("split-lambda", &[]);
    let invoke = |invocation_type: &'static str, body: Value| {
        let request = cloud.aws(Method::POST, &format!("{FUNCTION}/invocations"));
        request
            .header("x-amz-invocation-type", invocation_type)
            .header("x-amz-log-type", "Tail")
            .json(&body)
            .send()
    };
    assert_eq!(
        invoke("DryRun", message()).await.unwrap().status(),
        StatusCode::NO_CONTENT
    );
    assert!(cloud.function_processes().is_empty());

    let response = invoke("RequestResponse", message()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("x-amz-function-error"));
    let log = STANDARD.decode(&response.headers()["x-amz-log-result"]).unwrap();
    let log = String::from_utf8(log).unwrap();
    assert!(
        log.starts_with("START RequestId: ") && log.contains("\tInit Duration: "),
        "{log}"
    );
    assert_eq!(response.text().await.unwrap(), "null");

    let response = invoke("Event", message()).await.unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let id = response.headers()["x-amzn-requestid"]
        .to_str()
        .unwrap()
        .to_owned();
    until("the event is handled", || {
        cloud.log().contains(&format!("REPORT RequestId: {id}"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_the_function_is_an_answer_and_one_of_the_caller_is_refused() {
    let cloud = LocalCloud::up("split-lambda", &[]);
    let post = |path: &str, body: &'static str| cloud.aws(Method::POST, path).body(body).send();
    let response = post(&format!("{FUNCTION}/invocations"), "{}").await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-amz-function-error"], "Unhandled");
    assert!(response.json::<Value>().await.unwrap()["errorMessage"].is_string());

    let response = post(&format!("{FUNCTION}/invocations"), "not JSON")
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(
        response.headers()["x-amzn-errortype"],
        "InvalidRequestContentException"
    );

    let response = post("/2015-03-31/functions/Nobody/invocations", "{}")
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        response.headers()["x-amzn-errortype"],
        "ResourceNotFoundException"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_always_fails_is_tried_three_times_and_ends_in_the_failure_queue() {
    // Worker and failure queue as they are, but the retries after one and two seconds.
    let cloud = LocalCloud::up("split-lambda", &["--time-scale", "60"]);
    let request = cloud
        .aws(Method::POST, &format!("{FUNCTION}/invocations"))
        .header("x-amz-invocation-type", "Event");
    let response = request.body(r#"{"not": "a task"}"#).send().await.unwrap();
    let id = response.headers()["x-amzn-requestid"]
        .to_str()
        .unwrap()
        .to_owned();
    until("it is given up", || {
        cloud
            .log()
            .contains(&format!("event {id} is given up: RetriesExhausted"))
    })
    .await;
    assert_eq!(cloud.log().matches(&format!("START RequestId: {id}")).count(), 3);
    // The failure queue feeds the worker, which cannot make a task of it and leaves it there.
    until("it came from the queue", || {
        cloud.log().contains("a message is left in the queue")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_the_configuration_makes_the_next_start_cold() {
    let cloud = LocalCloud::up("split-lambda", &[]);
    let invoke = async || {
        let request = cloud
            .aws(Method::POST, &format!("{FUNCTION}/invocations"))
            .header("x-amz-log-type", "Tail");
        let response = request.json(&message()).send().await.unwrap();
        let log = STANDARD.decode(&response.headers()["x-amz-log-result"]).unwrap();
        String::from_utf8(log).unwrap().contains("Init Duration")
    };
    assert!(invoke().await);
    // The environment is given back a moment after its answer.
    until("it is idle", || {
        cloud.function_processes().iter().all(|(_, state)| *state == 'T')
    })
    .await;
    assert!(!invoke().await);
    let request = cloud.aws(Method::PUT, &format!("{FUNCTION}/configuration"));
    let updated = request.json(&json!({"Description": "new"})).send().await.unwrap();
    assert_eq!(updated.json::<Value>().await.unwrap()["Description"], "new");
    assert!(invoke().await);
}
