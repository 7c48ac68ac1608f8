//! What is refused, and how.

use super::*;

#[tokio::test]
async fn errors_have_the_form_of_the_json_protocol() {
    let sqs = service();
    let missing = json!({ "QueueName": "missing" }).to_string();
    assert_eq!(
        refusal(&sqs, "GetQueueUrl", &missing).await,
        (
            400,
            "com.amazonaws.sqs#QueueDoesNotExist".into(),
            "AWS.SimpleQueueService.NonExistentQueue;Sender".into()
        )
    );
    let handle = json!({ "QueueUrl": URL, "ReceiptHandle": "nonsense" }).to_string();
    assert_eq!(
        refusal(&sqs, "DeleteMessage", &handle).await,
        (
            404,
            "com.amazonaws.sqs#ReceiptHandleIsInvalid".into(),
            "ReceiptHandleIsInvalid;Sender".into()
        )
    );
    assert_eq!(
        refusal(&sqs, "DoSomething", "{}").await,
        (
            400,
            "com.amazon.coral.service#UnknownOperationException".into(),
            "InvalidAction;Sender".into()
        )
    );
    assert_eq!(
        refusal(&sqs, "AddPermission", "{}").await.1,
        "com.amazonaws.sqs#UnsupportedOperation"
    );
}

#[tokio::test]
async fn what_is_not_json_of_the_right_shape_is_refused() {
    let sqs = service();
    let wrong = [
        ("CreateQueue", ""),
        ("CreateQueue", "{"),
        ("CreateQueue", "[]"),
        ("CreateQueue", "\u{feff}{}"),
        ("CreateQueue", r#"{"QueueName":7}"#),
        (
            "CreateQueue",
            r#"{"QueueName":"n","Attributes":{"DelaySeconds":5}}"#,
        ),
        ("ReceiveMessage", r#"{"QueueUrl":"u","MaxNumberOfMessages":"1"}"#),
        ("ReceiveMessage", r#"{"QueueUrl":"u","MaxNumberOfMessages":1e99}"#),
        ("SendMessage", r#"{"QueueUrl":"u","MessageBody":"\ud800"}"#),
        ("SendMessageBatch", r#"{"QueueUrl":"u","Entries":{}}"#),
        ("SendMessageBatch", r#"{"QueueUrl":"u","Entries":[7]}"#),
    ];
    for (operation, body) in wrong {
        let (status, kind, _) = refusal(&sqs, operation, body).await;
        assert_eq!(
            (status, &*kind),
            (400, "com.amazon.coral.service#SerializationException"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn missing_parameters_are_named() {
    let sqs = service();
    let missing = "com.amazon.coral.service#MissingRequiredParameterException";
    for (operation, request, kind) in [
        (
            "SendMessage",
            json!({ "MessageBody": "b" }),
            "com.amazonaws.sqs#QueueDoesNotExist",
        ),
        ("SendMessage", json!({ "QueueUrl": URL }), missing),
        ("DeleteMessage", json!({ "QueueUrl": URL }), missing),
        (
            "ChangeMessageVisibility",
            json!({ "QueueUrl": URL, "ReceiptHandle": "r" }),
            missing,
        ),
        ("GetQueueUrl", json!({}), missing),
        ("SetQueueAttributes", json!({ "QueueUrl": URL }), missing),
        ("StartMessageMoveTask", json!({}), missing),
        (
            "CreateQueue",
            json!({}),
            "com.amazon.coral.service#InvalidParameterValueException",
        ),
    ] {
        let (status, answered, _) = refusal(&sqs, operation, &request.to_string()).await;
        assert_eq!((status, &*answered), (400, kind), "{operation} {request}");
    }
}

#[tokio::test]
async fn parameters_out_of_range_are_refused() {
    let sqs = service();
    for (operation, parameter, value) in [
        ("ReceiveMessage", "MaxNumberOfMessages", 0),
        ("ReceiveMessage", "MaxNumberOfMessages", 11),
        ("ReceiveMessage", "WaitTimeSeconds", 21),
        ("ReceiveMessage", "WaitTimeSeconds", -1),
        ("ReceiveMessage", "VisibilityTimeout", 43_201),
        ("SendMessage", "DelaySeconds", 901),
        ("SendMessage", "DelaySeconds", -1),
        ("ListQueues", "MaxResults", 0),
        ("ListQueues", "MaxResults", 1_001),
    ] {
        let request = json!({ "QueueUrl": URL, "MessageBody": "b", parameter: value }).to_string();
        let (status, kind, _) = refusal(&sqs, operation, &request).await;
        assert_eq!(
            (status, &*kind),
            (400, "com.amazon.coral.service#InvalidParameterValueException"),
            "{parameter} {value}"
        );
    }
}

#[tokio::test]
async fn list_values_are_unsupported_and_a_binary_value_has_to_be_base64() {
    let sqs = service();
    for (attribute, error) in [
        (
            json!({ "DataType": "String", "StringListValues": ["a"] }),
            "com.amazonaws.sqs#UnsupportedOperation",
        ),
        (
            json!({ "DataType": "Binary", "BinaryValue": "***" }),
            "com.amazon.coral.service#SerializationException",
        ),
        (
            json!({ "StringValue": "a" }),
            "com.amazon.coral.service#InvalidParameterValueException",
        ),
    ] {
        let request = json!({ "QueueUrl": URL, "MessageBody": "b", "MessageAttributes": { "n": attribute } });
        assert_eq!(refusal(&sqs, "SendMessage", &request.to_string()).await.1, error);
    }
}
