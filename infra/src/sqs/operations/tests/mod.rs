//! The operations as a client sees them: JSON in, JSON and headers out.

mod messages;
mod queues;
mod refusals;

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{super::QueueAttributes, *};

const URL: &str = "http://127.0.0.1:9000/000000000000/tasks";

/// A service with a queue named `tasks`.
fn service() -> Sqs {
    let sqs = Sqs::new("eu-west-1", "000000000000", "http://127.0.0.1:9000");
    sqs.create_queue("tasks", QueueAttributes::default()).unwrap();
    sqs
}

async fn call(sqs: &Sqs, operation: &str, request: Value) -> Value {
    let response = sqs.handle(operation, request.to_string().as_bytes()).await;
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{operation} {request}: {body}");
    assert_eq!(response.headers()["content-type"], "application/x-amz-json-1.0");
    assert!(response.headers().contains_key("x-amzn-RequestId"));
    body
}

/// The status, the `__type` and the query error of a request that is refused.
async fn refusal(sqs: &Sqs, operation: &str, body: &str) -> (u16, String, String) {
    let response = sqs.handle(operation, body.as_bytes()).await;
    let answer: Value = serde_json::from_slice(response.body()).unwrap();
    assert!(
        answer["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty()),
        "{answer}"
    );
    let query_error = response.headers()["x-amzn-query-error"]
        .to_str()
        .unwrap()
        .to_owned();
    (
        response.status().as_u16(),
        answer["__type"].as_str().unwrap().to_owned(),
        query_error,
    )
}

async fn receive(sqs: &Sqs, more: Value) -> Value {
    let mut request = json!({ "QueueUrl": URL, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0 });
    request
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    call(sqs, "ReceiveMessage", request).await["Messages"].take()
}
