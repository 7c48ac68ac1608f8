//! Sending and receiving, one by one and in batches.

use super::*;

#[tokio::test]
async fn a_receive_shows_the_attributes_it_asks_for() {
    let sqs = service();
    let text = |value: &str| json!({ "DataType": "String", "StringValue": value });
    let attributes = json!({
        "General": text("Kenobi"),
        "Hello": text("There"),
        "Help.Me": text("Me"),
    });
    let sent = call(
        &sqs,
        "SendMessage",
        json!({ "QueueUrl": URL, "MessageBody": "hello", "MessageAttributes": attributes }),
    )
    .await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(sent["MD5OfMessageAttributes"], "4c360f3fdafd970e05fae2f149d997f5");

    for (names, shown) in [
        (json!([]), None),
        (json!(["Unknown"]), None),
        (json!(["All"]), Some(vec!["General", "Hello", "Help.Me"])),
        (json!([".*"]), Some(vec!["General", "Hello", "Help.Me"])),
        (json!(["Hel.*"]), Some(vec!["Hello", "Help.Me"])),
        (json!(["General", "Unknown"]), Some(vec!["General"])),
    ] {
        let message = receive(&sqs, json!({ "MessageAttributeNames": names })).await[0].take();
        let names_shown = message["MessageAttributes"]
            .as_object()
            .map(|shown| shown.keys().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(names_shown, shown);
        assert_eq!(message["MD5OfMessageAttributes"].is_null(), shown.is_none());
        assert_eq!(message["Attributes"], Value::Null);
    }
}

#[tokio::test]
async fn a_receive_shows_the_system_attributes_it_asks_for() {
    let sqs = service();
    let header = json!({ "DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793" });
    let request = json!({
        "QueueUrl": URL, "MessageBody": "hello", "MessageSystemAttributes": { "AWSTraceHeader": header },
    });
    let sent = call(&sqs, "SendMessage", request).await;
    assert_eq!(
        sent["MD5OfMessageSystemAttributes"],
        "62a56dd927315f2b2e12832b84617ea5"
    );

    for parameter in ["AttributeNames", "MessageSystemAttributeNames"] {
        let one = receive(&sqs, json!({ parameter: ["AWSTraceHeader", "SequenceNumber"] })).await[0].take();
        assert_eq!(
            one["Attributes"],
            json!({ "AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793" })
        );
        let all = receive(&sqs, json!({ parameter: ["All"] })).await[0]["Attributes"].take();
        assert_eq!(all.as_object().unwrap().len(), 5, "{all}");
        let request = json!({ "QueueUrl": URL, parameter: ["Nonsense"] }).to_string();
        let (_, kind, _) = refusal(&sqs, "ReceiveMessage", &request).await;
        assert_eq!(kind, "com.amazonaws.sqs#InvalidAttributeName");
    }
}

#[tokio::test]
async fn a_message_is_sent_in_the_trace_of_its_request_unless_it_has_one_of_its_own() {
    let sqs = service();
    let own = json!({ "AWSTraceHeader": { "DataType": "String", "StringValue": "Root=own" } });
    let batch = json!({ "QueueUrl": URL, "Entries": [
        { "Id": "1", "MessageBody": "in a batch" },
        { "Id": "2", "MessageBody": "its own", "MessageSystemAttributes": own },
    ] });
    for (operation, request) in [
        ("SendMessage", json!({ "QueueUrl": URL, "MessageBody": "alone" })),
        ("SendMessageBatch", batch),
    ] {
        let body = request.to_string();
        let response = sqs
            .handle_in_trace(operation, Some("Root=request"), body.as_bytes())
            .await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    let received = receive(&sqs, json!({ "MessageSystemAttributeNames": ["AWSTraceHeader"] })).await;
    for message in received.as_array().unwrap() {
        let is_own = message["Body"] == "its own";
        let expected = if is_own { "Root=own" } else { "Root=request" };
        assert_eq!(message["Attributes"]["AWSTraceHeader"], expected, "{message}");
    }
    assert_eq!(received.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn entries_of_a_batch_succeed_and_fail_by_themselves() {
    let sqs = service();
    let entries = json!([
        { "Id": "good", "MessageBody": "hello" },
        { "Id": "empty", "MessageBody": "" },
        { "Id": "characters", "MessageBody": "\u{1}" },
        { "Id": "late", "MessageBody": "hello", "DelaySeconds": 901 },
    ]);
    let answer = call(
        &sqs,
        "SendMessageBatch",
        json!({ "QueueUrl": URL, "Entries": entries }),
    )
    .await;
    assert_eq!(answer["Successful"].as_array().unwrap().len(), 1);
    assert_eq!(answer["Successful"][0]["Id"], "good");
    assert_eq!(
        answer["Successful"][0]["MD5OfMessageBody"],
        "5d41402abc4b2a76b9719d911017c592"
    );
    let failed: Vec<_> = answer["Failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (&f["Id"], &f["Code"]))
        .collect();
    assert_eq!(
        json!(failed),
        json!([
            ["empty", "MissingParameter"],
            ["characters", "InvalidMessageContents"],
            ["late", "InvalidParameterValue"],
        ])
    );
    assert_eq!(answer["Failed"][0]["SenderFault"], true);

    let handle = receive(&sqs, json!({ "VisibilityTimeout": 30 })).await[0]["ReceiptHandle"].take();
    let entries = json!([{ "Id": "a", "ReceiptHandle": handle }, { "Id": "b", "ReceiptHandle": "nonsense" }]);
    let answer = call(
        &sqs,
        "DeleteMessageBatch",
        json!({ "QueueUrl": URL, "Entries": entries }),
    )
    .await;
    assert_eq!(answer["Successful"], json!([{ "Id": "a" }]));
    assert_eq!(answer["Failed"][0]["Code"], "ReceiptHandleIsInvalid");
}

#[tokio::test]
async fn a_batch_that_breaks_a_rule_is_refused_as_a_whole() {
    let sqs = service();
    let entry = |id: &str| json!({ "Id": id, "MessageBody": "b" });
    let eleven: Vec<_> = (0..11).map(|id| entry(&id.to_string())).collect();
    let half = "a".repeat(524_289);
    for (entries, error) in [
        (json!([]), "EmptyBatchRequest"),
        (json!(eleven), "TooManyEntriesInBatchRequest"),
        (json!([entry("a"), entry("a")]), "BatchEntryIdsNotDistinct"),
        (json!([entry("a b")]), "InvalidBatchEntryId"),
        (json!([entry("")]), "InvalidBatchEntryId"),
        (json!([entry(&"i".repeat(81))]), "InvalidBatchEntryId"),
        (
            json!([{ "Id": "a", "MessageBody": half }, { "Id": "b", "MessageBody": half }]),
            "BatchRequestTooLong",
        ),
    ] {
        let request = json!({ "QueueUrl": URL, "Entries": entries }).to_string();
        let (status, kind, query_error) = refusal(&sqs, "SendMessageBatch", &request).await;
        assert_eq!((status, kind), (400, format!("com.amazonaws.sqs#{error}")));
        assert_eq!(query_error, format!("AWS.SimpleQueueService.{error};Sender"));
    }
    assert_eq!(sqs.queue("tasks").unwrap().counts().visible, 0);
}
