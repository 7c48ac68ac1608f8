//! Queues, their attributes, tags and dead letters.

use super::*;

#[tokio::test]
async fn queues_are_listed_by_prefix_in_pages() {
    let sqs = service();
    for number in 0..5 {
        call(
            &sqs,
            "CreateQueue",
            json!({ "QueueName": format!("job-{number}") }),
        )
        .await;
    }
    let names = |answer: &Value| -> Vec<String> {
        let urls = answer["QueueUrls"].as_array().cloned().unwrap_or_default();
        urls.iter()
            .map(|url| url.as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect()
    };
    let all = call(&sqs, "ListQueues", json!({})).await;
    assert_eq!(
        names(&all),
        ["job-0", "job-1", "job-2", "job-3", "job-4", "tasks"]
    );
    assert_eq!(all["NextToken"], Value::Null);

    let mut listed = Vec::new();
    let mut request = json!({ "QueueNamePrefix": "job", "MaxResults": 2 });
    loop {
        let page = call(&sqs, "ListQueues", request.clone()).await;
        listed.push(names(&page).len());
        if page["NextToken"].is_null() {
            break;
        }
        request["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!(listed, [2, 2, 1]);
    assert_eq!(
        call(&sqs, "ListQueues", json!({ "QueueNamePrefix": "x" })).await,
        json!({})
    );
}

#[tokio::test]
async fn attributes_of_a_queue_are_answered_by_name() {
    let sqs = service();
    let get = async |names: Value| {
        let request = json!({ "QueueUrl": URL, "AttributeNames": names });
        call(&sqs, "GetQueueAttributes", request).await["Attributes"].take()
    };
    assert_eq!(get(json!([])).await, Value::Null);
    assert_eq!(
        get(json!(["VisibilityTimeout", "Policy"])).await,
        json!({ "VisibilityTimeout": "30" })
    );
    let all = get(json!(["All"])).await;
    assert_eq!(all["QueueArn"], "arn:aws:sqs:eu-west-1:000000000000:tasks");
    assert_eq!(all["ApproximateNumberOfMessages"], "0");
    assert_eq!(all["CreatedTimestamp"].as_str().unwrap().len(), 10, "in seconds");
    let request = json!({ "QueueUrl": URL, "AttributeNames": ["Nonsense"] }).to_string();
    let (_, kind, _) = refusal(&sqs, "GetQueueAttributes", &request).await;
    assert_eq!(kind, "com.amazonaws.sqs#InvalidAttributeName");
}

#[tokio::test]
async fn dead_letters_are_moved_back_as_new_messages() {
    let sqs = service();
    let tasks = sqs.queue("tasks").unwrap();
    let dead = sqs.create_queue("dead", QueueAttributes::default()).unwrap();
    let start = json!({ "SourceArn": dead.arn() });
    let (_, kind, _) = refusal(&sqs, "StartMessageMoveTask", &start.to_string()).await;
    assert_eq!(
        kind, "com.amazon.coral.service#InvalidParameterValueException",
        "nothing feeds it yet"
    );

    let policy = json!({ "deadLetterTargetArn": dead.arn(), "maxReceiveCount": "1" }).to_string();
    let change = json!({ "QueueUrl": URL, "Attributes": { "RedrivePolicy": policy } });
    call(&sqs, "SetQueueAttributes", change).await;
    let sources = call(
        &sqs,
        "ListDeadLetterSourceQueues",
        json!({ "QueueUrl": dead.url() }),
    )
    .await;
    assert_eq!(sources, json!({ "queueUrls": [URL] }));

    let sent = call(
        &sqs,
        "SendMessage",
        json!({ "QueueUrl": URL, "MessageBody": "poison" }),
    )
    .await;
    receive(&sqs, json!({})).await;
    assert_eq!(receive(&sqs, json!({})).await, Value::Null);
    assert_eq!((tasks.counts().visible, dead.counts().visible), (0, 1));

    call(&sqs, "StartMessageMoveTask", start).await;
    assert_eq!((tasks.counts().visible, dead.counts().visible), (1, 0));
    let again = receive(&sqs, json!({ "AttributeNames": ["ApproximateReceiveCount"] })).await[0].take();
    assert_eq!(again["Attributes"], json!({ "ApproximateReceiveCount": "1" }));
    assert_ne!(again["MessageId"], sent["MessageId"]);

    let nowhere =
        json!({ "SourceArn": dead.arn(), "DestinationArn": "arn:aws:sqs:eu-west-1:000000000000:x" });
    let (status, kind, _) = refusal(&sqs, "StartMessageMoveTask", &nowhere.to_string()).await;
    assert_eq!(
        (status, &*kind),
        (404, "com.amazonaws.sqs#ResourceNotFoundException")
    );
}

#[tokio::test]
async fn tags_are_added_listed_and_removed() {
    let sqs = service();
    let create = json!({ "QueueName": "tagged", "tags": { "a": "1" } });
    let url = call(&sqs, "CreateQueue", create).await["QueueUrl"].take();
    call(
        &sqs,
        "TagQueue",
        json!({ "QueueUrl": url, "Tags": { "a": "2", "b": "3" } }),
    )
    .await;
    assert_eq!(
        call(&sqs, "ListQueueTags", json!({ "QueueUrl": url })).await,
        json!({ "Tags": { "a": "2", "b": "3" } })
    );
    call(&sqs, "UntagQueue", json!({ "QueueUrl": url, "TagKeys": ["a"] })).await;
    assert_eq!(
        call(&sqs, "ListQueueTags", json!({ "QueueUrl": url })).await,
        json!({ "Tags": { "b": "3" } })
    );
}
