//! Requests to SQS.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use infra::sqs::{QueueAttributes, RedrivePolicy, Sqs};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

const OPERATIONS: &[&str] = &[
    "CreateQueue",
    "DeleteQueue",
    "ListQueues",
    "GetQueueUrl",
    "GetQueueAttributes",
    "SetQueueAttributes",
    "SendMessage",
    "SendMessageBatch",
    "ReceiveMessage",
    "DeleteMessage",
    "DeleteMessageBatch",
    "ChangeMessageVisibility",
    "ChangeMessageVisibilityBatch",
    "PurgeQueue",
    "ListDeadLetterSourceQueues",
    "StartMessageMoveTask",
    "TagQueue",
    "Unknown",
];

/// Names that mean something to SQS, so that the requests get past the first check.
const NAMES: &[&str] = &[
    "QueueUrl",
    "QueueName",
    "Attributes",
    "AttributeNames",
    "MessageAttributeNames",
    "MessageAttributes",
    "MessageSystemAttributes",
    "MessageBody",
    "DelaySeconds",
    "VisibilityTimeout",
    "MaxNumberOfMessages",
    "ReceiptHandle",
    "Entries",
    "Id",
    "DataType",
    "StringValue",
    "BinaryValue",
    "RedrivePolicy",
    "AWSTraceHeader",
    "NextToken",
    "MaxResults",
    "SourceArn",
    "Tags",
];

/// Values that mean something to SQS.
const TEXTS: &[&str] = &[
    "http://localhost/123456789012/queue",
    "queue",
    "arn:aws:sqs:us-east-1:123456789012:queue",
    "All",
    "String",
    "Number",
    "Binary",
    "30",
    "-1",
    "99999999999999999999",
    "{\"maxReceiveCount\": 1}",
    "\u{0}",
    "\u{fffe}",
    "a,b",
    "",
];

fn sqs_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..40_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        select(TEXTS).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let name = prop_oneof![4 => select(NAMES).prop_map(str::to_owned), 1 => any::<String>()];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((name, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The parameters of a request, mostly to a queue that exists.
fn sqs_request() -> impl Strategy<Value = Value> {
    let fields = vec((select(NAMES), sqs_value()), 0..6);
    (any::<bool>(), fields).prop_map(|(with_queue, fields)| {
        let mut request: Map<String, Value> = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        if with_queue {
            request.insert("QueueUrl".to_owned(), json!(TEXTS[0]));
        }
        // A long poll would only wait.
        request.insert("WaitTimeSeconds".to_owned(), json!(0));
        Value::Object(request)
    })
}

fn run<T>(test: impl AsyncFnOnce(Sqs) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let sqs = Sqs::new("us-east-1", "123456789012", "http://localhost");
        sqs.create_queue("queue", QueueAttributes::default()).unwrap();
        test(sqs).await
    })
}

fn sqs_status(operation: &str, body: &[u8]) -> StatusCode {
    run(async |sqs| sqs.handle(operation, body).await.status())
}

/// An attribute that is right, or nearly so.
fn message_attribute() -> impl Strategy<Value = (String, Value)> {
    let name = prop_oneof!["[a-zA-Z0-9_.-]{1,12}", any::<String>()];
    let base_type = select(
        &[
            "String",
            "Number",
            "Binary",
            "String.x",
            "Number.1",
            "Binary.ä",
            "Text",
            "",
        ][..],
    );
    let text = prop_oneof![
        any::<String>(),
        "-?[0-9]{1,9}(\\.[0-9]{1,9})?(e[0-9]{1,3})?",
        "\\PC{0,20}"
    ];
    let bytes = vec(any::<u8>(), 0..20).prop_map(|bytes| STANDARD.encode(bytes));
    (name, base_type, text, bytes).prop_map(|(name, data_type, text, bytes)| {
        let mut attribute = json!({ "DataType": data_type });
        if data_type.starts_with("Binary") {
            attribute["BinaryValue"] = json!(bytes);
        } else {
            attribute["StringValue"] = json!(text);
        }
        (name, attribute)
    })
}

/// A redrive policy that is right, or nearly so.
fn redrive_policy() -> impl Strategy<Value = String> {
    let arn = prop_oneof![Just(json!(TEXTS[2])), any::<String>().prop_map(Value::from)];
    let count = prop_oneof![
        any::<i64>().prop_map(Value::from),
        (0..1_002_u16).prop_map(Value::from),
        (0..1_002_u16).prop_map(|count| json!(count.to_string())),
        any::<f64>().prop_map(Value::from),
        sqs_value(),
    ];
    let policy = (arn, count)
        .prop_map(|(arn, count)| json!({"deadLetterTargetArn": arn, "maxReceiveCount": count}).to_string());
    prop_oneof![4 => policy, 1 => any::<String>(), 1 => sqs_value().prop_map(|value| value.to_string())]
}

/// What a queue gives back of a message that it took.
async fn received(sqs: &Sqs) -> Value {
    let request = json!({"QueueUrl": TEXTS[0], "MessageAttributeNames": ["All"], "WaitTimeSeconds": 0});
    let answer = sqs.handle("ReceiveMessage", request.to_string().as_bytes()).await;
    let mut answer: Value = serde_json::from_slice(answer.body()).unwrap();
    answer
        .pointer_mut("/Messages/0")
        .map(Value::take)
        .unwrap_or_default()
}

proptest! {
    #[test]
    fn sqs_answers_any_bytes(operation in select(OPERATIONS), body in vec(any::<u8>(), 0..200)) {
        prop_assert!(sqs_status(operation, &body).is_client_error());
    }

    #[test]
    fn sqs_answers_any_parameters(operation in select(OPERATIONS), request in sqs_request()) {
        let status = sqs_status(operation, request.to_string().as_bytes());
        prop_assert!(status.is_success() || status.is_client_error(), "{status}");
    }

    #[test]
    fn a_message_comes_back_with_the_attributes_that_were_taken(attributes in vec(message_attribute(), 0..5)) {
        let attributes: Map<String, Value> = attributes.into_iter().collect();
        let request = json!({"QueueUrl": TEXTS[0], "MessageBody": "x", "MessageAttributes": attributes});
        let (status, received) = run(async |sqs| {
            let sent = sqs.handle("SendMessage", request.to_string().as_bytes()).await;
            (sent.status(), received(&sqs).await)
        });
        if status.is_success() {
            let received = received.get("MessageAttributes").cloned().unwrap_or(json!({}));
            prop_assert_eq!(received, Value::Object(attributes));
        } else {
            prop_assert!(status.is_client_error(), "{}", status);
            prop_assert_eq!(received, Value::Null);
        }
    }

    #[test]
    fn a_redrive_policy_is_refused_or_reads_as_it_is_answered(text in redrive_policy()) {
        if let Ok(policy) = RedrivePolicy::parse(&text) {
            prop_assert_eq!(RedrivePolicy::parse(&policy.to_json()).unwrap(), policy);
        }
        let request = json!({"QueueUrl": TEXTS[0], "Attributes": {"RedrivePolicy": text}});
        let status = sqs_status("SetQueueAttributes", request.to_string().as_bytes());
        prop_assert!(status.is_success() || status.is_client_error(), "{}", status);
    }
}
