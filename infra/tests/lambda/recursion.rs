//! Chains of requests in which a function meets itself again
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>).

use serde_json::{Value, json};

use crate::support::{LocalCloud, function, may, queue};

const INVOKE: &str = "/2015-03-31/functions/Loop/invocations";

/// What hands the whole event to the same function once more.
fn again(invocation_type: &str) -> Value {
    let headers = json!({"x-amz-invocation-type": invocation_type});
    json!({"call": {"service": "lambda", "path": INVOKE, "headers": headers, "body": "$event"}})
}

fn resources(more: &str) -> String {
    let destination =
        "EventInvokeConfig: {DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}}";
    let policy = may("\"lambda:InvokeFunction\", \"sqs:SendMessage\"");
    function("Loop", &format!("{policy}{destination}\nTimeout: 30\n{more}")) + &queue("Failed", "")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_loop_is_stopped_after_sixteen_invocations_and_goes_to_the_destination() {
    let cloud = LocalCloud::up(&resources(""), &[]);
    cloud.invoke_later("Loop", &json!({"do": [again("Event")]})).await;
    cloud.logged("is given up: RecursiveInvocation").await;
    assert_eq!(
        (cloud.count("[Loop] START "), cloud.count("recursive loop")),
        (16, 1)
    );
    let record: Value =
        serde_json::from_str(cloud.message("Failed").await["Body"].as_str().unwrap()).unwrap();
    assert_eq!(record["requestContext"]["condition"], "RecursiveInvocation");
    assert_eq!(record["requestPayload"], json!({"do": [again("Event")]}));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_in_a_synchronous_loop_gets_a_recursive_invocation_exception() {
    let cloud = LocalCloud::up(&resources(""), &[]);
    let event = json!({"do": [again("RequestResponse"), {"respond_last": true}]});
    let mut answer = &cloud.invoke("Loop", &event).await.body;
    let mut calls = 1;
    while answer["status"] == 200 {
        answer = &answer["body"];
        calls += 1;
    }
    assert_eq!(
        (&answer["status"], &answer["type"]),
        (&json!(400), &json!("RecursiveInvocationException"))
    );
    assert_eq!(calls, 16, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_that_is_allowed_goes_on() {
    let cloud = LocalCloud::up(&resources("RecursiveLoop: Allow"), &[]);
    cloud.invoke_later("Loop", &json!({"do": [again("Event")]})).await;
    let more_than_sixteen = || cloud.count("[Loop] START ") > 20;
    crate::support::until("it goes on", more_than_sixteen).await;
    assert_eq!(cloud.count("recursive loop"), 0);
}

/// Retries are attempts at the same request, and a task that is handed over is the second in its chain.
#[tokio::test(flavor = "multi_thread")]
async fn retries_and_new_requests_begin_no_loop() {
    let cloud = LocalCloud::up(&resources(""), &["--time-scale", "600"]);
    let failing = json!({"do": [{"error": {"errorMessage": "no"}}]});
    let hand_over = json!({"service": "lambda", "path": INVOKE, "headers": {"x-amz-invocation-type": "Event"},
        "body": failing});
    for _ in 0..20 {
        assert_eq!(
            cloud
                .invoke("Loop", &json!({"do": [{"call": hand_over}]}))
                .await
                .error,
            None
        );
    }
    crate::support::until("all are given up", || {
        cloud.count("is given up: RetriesExhausted") == 20
    })
    .await;
    assert_eq!(cloud.count("recursive loop"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_through_a_queue_ends_in_its_dead_letter_queue() {
    let policy = may("\"sqs:*\"");
    let events = "Events: {Queue: {Type: SQS, Properties: {Queue: !GetAtt Source.Arn, BatchSize: 1}}}";
    let redrive = "RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}";
    let resources = function("Loop", &format!("{policy}{events}\nTimeout: 1\n"))
        + &queue("Source", &format!("VisibilityTimeout: 1, {redrive}"))
        + &queue("Dead", "");
    let cloud = LocalCloud::up(&resources, &[]);
    let send = json!({"QueueUrl": cloud.queue_url("Source"), "MessageBody": "$text"});
    let headers =
        json!({"x-amz-target": "AmazonSQS.SendMessage", "content-type": "application/x-amz-json-1.0"});
    let event = json!({"do": [{"call": {"service": "sqs", "headers": headers, "body": send}}]});
    let request = json!({"QueueUrl": cloud.queue_url("Source"), "MessageBody": event.to_string()});
    cloud.sqs("SendMessage", &request).await;
    let letter = cloud.message("Dead").await;
    cloud.logged("recursive loop").await;
    assert_eq!(cloud.count("[Loop] START "), 16);
    let header = letter["Attributes"]["AWSTraceHeader"].as_str().unwrap();
    assert!(header.contains("Lineage=") && header.ends_with(":15"), "{header}");
}
