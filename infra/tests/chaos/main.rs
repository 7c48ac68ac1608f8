//! Faults on purpose: each by itself, as it reaches a function and whoever waits for it.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "what helps the tests fails as they do"
)]

mod calls;
mod deliveries;
mod seed;
#[allow(dead_code, reason = "the tests of the Lambda service use the rest of it")]
#[path = "../lambda/support.rs"]
mod support;

use serde_json::{Value, json};

use support::may;

/// What a function needs for the calls below.
fn may_call() -> String {
    may("\"lambda:InvokeFunction\", \"sqs:*\", \"dynamodb:ListTables\"")
}

/// The step in which a function sends a message.
fn send_message(queue_url: &str, body: &str) -> Value {
    call(
        "sqs",
        "AmazonSQS.SendMessage",
        &json!({"QueueUrl": queue_url, "MessageBody": body}),
    )
}

/// The step in which a function lists tables.
fn list_tables() -> Value {
    call("dynamodb", "DynamoDB_20120810.ListTables", &json!({}))
}

fn call(service: &str, target: &str, body: &Value) -> Value {
    let headers = json!({"x-amz-target": target, "content-type": "application/x-amz-json-1.0"});
    json!({"call": {"service": service, "headers": headers, "body": body}})
}

/// The step in which a function hands an event to another one.
fn invoke_later(function: &str, event: &Value) -> Value {
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let headers = json!({"x-amz-invocation-type": "Event"});
    json!({"call": {"service": "lambda", "path": path, "headers": headers, "body": event}})
}

/// An event whose answer is what the step came to.
fn answered_by(step: &Value) -> Value {
    json!({"do": [step, {"respond_last": true}]})
}
