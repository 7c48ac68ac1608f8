//! Asynchronous invocations and what is retained of them
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).

use serde_json::{Value, json};

use crate::support::{LocalCloud, function, may, queue};

fn to_queue(condition: &str, more: &str) -> String {
    let destination = format!("{condition}: {{Type: SQS, Destination: !GetAtt Queue.Arn}}");
    let policy = may("\"sqs:SendMessage\"");
    let properties = format!("{policy}EventInvokeConfig:\n  DestinationConfig: {{{destination}}}\n{more}");
    function("Function", &properties) + &queue("Queue", "")
}

async fn record(cloud: &LocalCloud) -> Value {
    serde_json::from_str(cloud.message("Queue").await["Body"].as_str().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_concurrency_an_event_goes_straight_to_the_destination() {
    let cloud = LocalCloud::up(&to_queue("OnFailure", "ReservedConcurrentExecutions: 0"), &[]);
    let id = cloud.invoke_later("Function", &json!({"a": 1})).await;
    let record = record(&cloud).await;
    let context = &record["requestContext"];
    assert_eq!(
        (&context["requestId"], &context["approximateInvokeCount"]),
        (&json!(id), &json!(0))
    );
    assert_eq!(context["condition"], "ZeroReservedConcurrency");
    assert_eq!(record["requestPayload"], json!({"a": 1}));
    assert_eq!(cloud.count("START"), 0);
}

/// The retries come after one and two minutes: here after one and two seconds.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_fails_is_tried_three_times_under_the_same_id() {
    let cloud = LocalCloud::up(&to_queue("OnFailure", ""), &["--time-scale", "60"]);
    let started = std::time::Instant::now();
    let id = cloud
        .invoke_later("Function", &json!({"do": [{"error": {"errorMessage": "no"}}]}))
        .await;
    let record = record(&cloud).await;
    assert!(
        (3.0..30.0).contains(&started.elapsed().as_secs_f64()),
        "{:?}",
        started.elapsed()
    );
    cloud.logged("is given up").await;
    assert_eq!(cloud.count(&format!("START RequestId: {id}")), 3);
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["responseContext"]["functionError"], "Unhandled");
    assert_eq!(record["responsePayload"], json!({"errorMessage": "no"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_throttled_waits_until_it_is_too_old() {
    let age = "  MaximumEventAgeInSeconds: 60\nTimeout: 60\nReservedConcurrentExecutions: 1";
    let cloud = LocalCloud::up(&to_queue("OnFailure", age), &["--time-scale", "60"]);
    cloud
        .invoke_later("Function", &json!({"do": [{"sleep": 60_000}]}))
        .await;
    cloud.logged("START").await;
    let id = cloud.invoke_later("Function", &json!({})).await;
    let record = record(&cloud).await;
    assert_eq!(record["requestContext"]["requestId"], json!(id));
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(cloud.count("START"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_throttled_is_handled_when_there_is_room() {
    let cloud = LocalCloud::up(
        &function("Function", "ReservedConcurrentExecutions: 1"),
        &["--time-scale", "20"],
    );
    cloud
        .invoke_later("Function", &json!({"do": [{"sleep": 500}]}))
        .await;
    cloud.logged("START").await;
    let id = cloud.invoke_later("Function", &json!({})).await;
    cloud.logged(&format!("REPORT RequestId: {id}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_a_success_can_go_to_another_function() {
    let destination = "OnSuccess: {Type: Lambda, Destination: !GetAtt Other.Arn}";
    let policy = may("\"lambda:InvokeFunction\"");
    let properties = format!("{policy}EventInvokeConfig: {{DestinationConfig: {{{destination}}}}}");
    // The record is no event for it, and does nothing: that it was invoked is enough.
    let cloud = LocalCloud::up(&(function("Function", &properties) + &function("Other", "")), &[]);
    cloud
        .invoke_later("Function", &json!({"do": [{"respond": {"done": true}}]}))
        .await;
    cloud.logged("[Other] REPORT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_has_the_event_as_it_was_and_the_error_in_attributes() {
    let policy = may("\"sqs:SendMessage\"");
    let properties = format!("{policy}DeadLetterQueue: {{Type: SQS, TargetArn: !GetAtt Queue.Arn}}");
    let resources = function("Function", &properties) + &queue("Queue", "");
    let cloud = LocalCloud::up(&resources, &["--time-scale", "600"]);
    let event = json!({"do": [{"error": {"errorType": "E", "errorMessage": "no"}}]});
    let id = cloud.invoke_later("Function", &event).await;
    let letter = cloud.message("Queue").await;
    assert_eq!(letter["Body"], json!(event.to_string()));
    let attribute = |name: &str| letter["MessageAttributes"][name]["StringValue"].clone();
    assert_eq!(attribute("RequestID"), json!(id));
    assert_eq!(
        (attribute("ErrorCode"), attribute("ErrorMessage")),
        (json!("200"), json!("no"))
    );
}
