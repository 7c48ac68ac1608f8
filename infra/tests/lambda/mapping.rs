//! Event source mappings of SQS queues (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>).

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::support::{LocalCloud, function, queue, until};

/// A function that a queue feeds with one message at a time. What fails once is a dead letter.
fn resources(mapping: &str) -> String {
    let source = format!("Properties: {{Queue: !GetAtt Source.Arn, BatchSize: 1, {mapping}}}");
    let redrive = "RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 1}";
    function(
        "Function",
        &format!("Timeout: 1\nEvents: {{Source: {{Type: SQS, {source}}}}}"),
    ) + &queue("Source", &format!("VisibilityTimeout: 1, {redrive}"))
        + &queue("Dead", "")
}

async fn send(cloud: &LocalCloud, event: &Value) {
    let request = json!({"QueueUrl": cloud.queue_url("Source"), "MessageBody": event.to_string()});
    cloud.sqs("SendMessage", &request).await;
}

/// How many messages a queue has, received ones among them.
async fn messages(cloud: &LocalCloud, queue: &str) -> u64 {
    let names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
    ];
    let request = json!({"QueueUrl": cloud.queue_url(queue), "AttributeNames": names});
    let answer = cloud.sqs("GetQueueAttributes", &request).await;
    let count = |name| {
        answer["Attributes"][name]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    names.into_iter().map(count).sum()
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>
#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_failures_counts_by_its_rules() {
    let cloud = LocalCloud::up(
        &resources("FunctionResponseTypes: [ReportBatchItemFailures]"),
        &[],
    );
    let good = [
        "{}",
        "null",
        r#"{"batchItemFailures": []}"#,
        r#"{"batchItemFailures": null}"#,
    ];
    let bad = [
        "no JSON",
        r#"{"batchItemFailures": "1"}"#,
        r#"{"batchItemFailures": [{"itemIdentifier": ""}]}"#,
        r#"{"batchItemFailures": [{"itemIdentifier": null}]}"#,
        r#"{"batchItemFailures": [{"itemIdentifier": "unknown"}]}"#,
        r#"{"batchItemFailures": [{"id": "1"}]}"#,
    ];
    for response in good.into_iter().chain(bad) {
        send(
            &cloud,
            &json!({"do": [{"respond_raw": STANDARD.encode(response)}], "response": response}),
        )
        .await;
    }
    send(
        &cloud,
        &json!({"do": [{"error": {"errorMessage": "no"}}], "response": "error"}),
    )
    .await;
    let mut failed = Vec::new();
    while failed.len() < bad.len() + 1 {
        let mut letter = cloud.message("Dead").await;
        let handle = letter["ReceiptHandle"].take();
        let body: Value = serde_json::from_str(letter["Body"].as_str().unwrap()).unwrap();
        failed.push(body["response"].as_str().unwrap().to_owned());
        let delete = json!({"QueueUrl": cloud.queue_url("Dead"), "ReceiptHandle": handle});
        cloud.sqs("DeleteMessage", &delete).await;
    }
    failed.sort();
    let mut expected = [&bad[..], &["error"]].concat();
    expected.sort_unstable();
    assert_eq!(failed, expected);
    assert_eq!(
        (messages(&cloud, "Source").await, messages(&cloud, "Dead").await),
        (0, 0)
    );
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency>
#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_has_no_more_batches_at_once_than_its_maximum_concurrency() {
    const MESSAGES: usize = 8;
    let cloud = LocalCloud::up(&resources("ScalingConfig: {MaximumConcurrency: 2}"), &[]);
    for _ in 0..MESSAGES {
        send(
            &cloud,
            &json!({"do": [{"print": "begun"}, {"sleep": 300}, {"print": "done"}]}),
        )
        .await;
    }
    until("all are handled", || cloud.count("[Function] done") == MESSAGES).await;
    // What a function does before it answers: the next batch may begin while the environment is still on its way to idle.
    let mut running = 0_usize;
    let mut most = 0;
    for line in cloud.log().lines() {
        if line == "[Function] begun" {
            running += 1;
        } else if line == "[Function] done" {
            running -= 1;
        }
        most = most.max(running);
    }
    assert_eq!(most, 2, "{}", cloud.log());
}

/// The messages stay, and come again when their visibility timeout has passed
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>).
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_throttled_is_handled_when_there_is_room() {
    let resources = resources("").replace(
        "Timeout: 1\n",
        "Timeout: 1\n      ReservedConcurrentExecutions: 1\n",
    );
    let cloud = LocalCloud::up(
        &resources.replace("VisibilityTimeout: 1", "VisibilityTimeout: 60"),
        &[],
    );
    for _ in 0..3 {
        send(&cloud, &json!({"do": [{"sleep": 300}]})).await;
    }
    until("all are handled", || cloud.count("[Function] END ") == 3).await;
    tokio::time::timeout(Duration::from_secs(30), async {
        while messages(&cloud, "Source").await > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(messages(&cloud, "Dead").await, 0);
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>: Lambda drops it then. Whoever receives the
/// message next has it alone; here that is nobody, for it has been received as often as it may be.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_throttled_until_its_messages_are_visible_again_is_dropped() {
    let resources = resources("")
        .replace(
            "Timeout: 1\n",
            "Timeout: 3\n      ReservedConcurrentExecutions: 1\n",
        )
        .replace("VisibilityTimeout: 1", "VisibilityTimeout: 3");
    let cloud = LocalCloud::up(&resources, &[]);
    send(&cloud, &json!({"do": [{"print": "first"}, {"sleep": 2_500}]})).await;
    cloud.logged("[Function] first").await;
    send(&cloud, &json!({"do": [{"print": "second"}]})).await;
    let letter = cloud.message("Dead").await;
    assert!(letter["Body"].as_str().unwrap().contains("second"), "{letter}");
    send(&cloud, &json!({"do": [{"print": "third"}]})).await;
    cloud.logged("[Function] third").await;
    assert_eq!(cloud.count("[Function] second"), 0);
}
