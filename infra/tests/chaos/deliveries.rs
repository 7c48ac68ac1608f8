//! Invocations that are killed, that come twice, or that a queue's attempt at is throttled.

use serde_json::{Value, json};

use crate::support::{LocalCloud, function, may, queue, until};

/// A function that is invoked asynchronously, with further properties; what is given up ends in a queue.
fn asynchronous(properties: &str, arguments: &[&str]) -> LocalCloud {
    let destination = "DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Failed.Arn}}";
    let policy = may("\"sqs:SendMessage\"");
    let properties = format!("{policy}Timeout: 30\nEventInvokeConfig:\n  {destination}\n{properties}");
    LocalCloud::up(
        &(function("Function", &properties) + &queue("Failed", "")),
        arguments,
    )
}

/// A function that is fed by a queue.
fn mapped(arguments: &[&str]) -> LocalCloud {
    let events = "Events: {Queue: {Type: SQS, Properties: {Queue: !GetAtt Source.Arn, BatchSize: 1}}}";
    let function = function("Function", &format!("{}{events}\nTimeout: 10", may("\"sqs:*\"")));
    let resources = function + &queue("Source", "VisibilityTimeout: 10");
    LocalCloud::up(&resources, arguments)
}

/// The record of an event that is given up, when all that led to it is in the log.
async fn failed(cloud: &LocalCloud) -> Value {
    cloud.logged(" is given up: ").await;
    serde_json::from_str(cloud.message("Failed").await["Body"].as_str().unwrap()).unwrap()
}

/// Longer than a kill may take to come.
fn long() -> Value {
    json!({"do": [{"sleep": 20_000}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_invocation_that_is_killed_is_tried_three_times_and_given_up() {
    let cloud = asynchronous("", &["--time-scale", "60", "--chaos", "kill=1"]);
    let id = cloud.invoke_later("Function", &long()).await;
    let record = failed(&cloud).await;
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["responsePayload"]["errorType"], "Runtime.ExitError");
    let message = record["responsePayload"]["errorMessage"].as_str().unwrap();
    assert_eq!(
        message,
        format!("RequestId: {id} Error: Runtime exited with error: signal: killed")
    );
    assert_eq!(
        cloud.count("infra: chaos: killed environment "),
        3,
        "{}",
        cloud.log()
    );
    assert_eq!(cloud.count(&format!(" of Function during request {id}\n")), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronous_invocation_that_is_killed_fails_as_one_that_crashes() {
    let cloud = asynchronous("", &["--chaos", "kill=1"]);
    let outcome = cloud.invoke("Function", &long()).await;
    assert_eq!(outcome.error.as_deref(), Some("Unhandled"));
    assert_eq!(outcome.body["errorType"], "Runtime.ExitError");
    let end = "Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n";
    assert!(outcome.log.contains(end), "{}", outcome.log);
}

/// Lambda's queue may deliver an event more than once
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_event_is_delivered_twice_under_the_same_id() {
    let cloud = asynchronous("", &["--time-scale", "60", "--chaos", "duplicate=1"]);
    let mut ids = Vec::new();
    // A duplicate of a duplicate would come before the events that follow have come twice.
    for _ in 0..5 {
        let id = cloud.invoke_later("Function", &json!({})).await;
        let reported = format!("REPORT RequestId: {id}");
        until("it has come twice", || cloud.count(&reported) >= 2).await;
        ids.push(id);
    }
    for id in ids {
        assert_eq!(cloud.count(&format!("START RequestId: {id}")), 2);
        assert_eq!(
            cloud.count(&format!("infra: chaos: duplicated event {id} of Function\n")),
            1
        );
    }
}

/// Each delivery of an event fails and is tried again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_has_retries_of_its_own() {
    let cloud = asynchronous("", &["--time-scale", "60", "--chaos", "duplicate=1"]);
    let failing = json!({"do": [{"error": {"errorMessage": "no"}}]});
    let id = cloud.invoke_later("Function", &failing).await;
    until("both are given up", || {
        cloud.count("is given up: RetriesExhausted") == 2
    })
    .await;
    assert_eq!(cloud.count(&format!("START RequestId: {id}")), 6);
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html>
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_a_mapping_has_deleted_is_delivered_once_more() {
    let cloud = mapped(&["--chaos", "duplicate=1"]);
    let request =
        json!({"QueueUrl": cloud.queue_url("Source"), "MessageBody": "{\"do\": [{\"print\": \"here\"}]}"});
    let sent = cloud.sqs("SendMessage", &request).await;
    until("it has come twice", || cloud.count("[Function] REPORT") == 2).await;
    // Then it is gone for good.
    let names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ];
    let request = json!({"QueueUrl": cloud.queue_url("Source"), "AttributeNames": names});
    loop {
        let attributes = cloud.sqs("GetQueueAttributes", &request).await["Attributes"].take();
        if names.iter().all(|name| attributes[name] == "0") {
            break;
        }
        assert_eq!(cloud.count("[Function] START"), 2, "{}", cloud.log());
    }
    assert_eq!(cloud.count("[Function] here"), 2);
    let id = sent["MessageId"].as_str().unwrap();
    let duplicated = format!("infra: chaos: duplicated message {id} of Source\n");
    assert_eq!(cloud.count(&duplicated), 1);
}

/// Such attempts are throttles like any other: the event waits, longer each time, until it is too old.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_whose_attempts_are_throttled_gets_too_old() {
    let arguments = ["--time-scale", "20", "--chaos", "throttle=1"];
    let cloud = asynchronous("  MaximumEventAgeInSeconds: 60", &arguments);
    let id = cloud.invoke_later("Function", &json!({})).await;
    let record = failed(&cloud).await;
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 0);
    let throttled = format!("infra: chaos: throttled an attempt of Function at request {id}\n");
    // At once and after 1, 3, 7, 15 and 31 s; the next would be after 63.
    assert_eq!(cloud.count(&throttled), 6, "{}", cloud.log());
    assert_eq!(cloud.count("START"), 0);
}

/// With this seed the first of a mapping's attempts is throttled, and the second is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_attempt_is_throttled_is_tried_again() {
    let cloud = mapped(&["--chaos", "throttle=0.5,seed=3"]);
    let request = json!({"QueueUrl": cloud.queue_url("Source"), "MessageBody": "{}"});
    cloud.sqs("SendMessage", &request).await;
    cloud.logged("[Function] REPORT").await;
    assert_eq!(
        cloud.count("infra: chaos: throttled an attempt of Function at request "),
        1
    );
}
