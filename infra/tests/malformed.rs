//! What no client should send: the parsers of the protocols refuse it, and nothing panics.
//!
//! The cases are random, from a seed that a failure prints. `PROPTEST_CASES` sets how many of each kind are tried.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail")]

use std::{collections::BTreeMap, io::Write as _};

use axum::http::StatusCode;
use infra::{
    sqs::{QueueAttributes, Sqs},
    template,
};
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

fn sqs_status(operation: &str, body: &[u8]) -> StatusCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let sqs = Sqs::new("us-east-1", "123456789012", "http://localhost");
        sqs.create_queue("queue", QueueAttributes::default()).unwrap();
        sqs.handle(operation, body).await.status()
    })
}

fn load(template: &[u8]) -> Result<template::Stack, template::TemplateError> {
    let mut file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    file.write_all(template).unwrap();
    let settings = template::Settings {
        region: "us-east-1".to_owned(),
        account_id: "123456789012".to_owned(),
        endpoint_url: "http://localhost:1".to_owned(),
        api_url: "http://localhost:2".to_owned(),
        stack_name: "local".to_owned(),
        parameters: BTreeMap::new(),
    };
    template::load(file.path(), &settings)
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
    fn a_template_of_any_bytes_is_refused(bytes in vec(any::<u8>(), 0..300)) {
        prop_assert!(load(&bytes).is_err());
    }

    /// A template that is right but for one place: cut, written over, or with a piece of it repeated.
    #[test]
    fn a_damaged_template_is_read_or_refused(
        variant in select(&[
            include_str!("../self-invoke.yaml"),
            include_str!("../sqs-worker.yaml"),
            include_str!("../split-lambda.yaml"),
        ]),
        position in any::<prop::sample::Index>(),
        length in 0..40_usize,
        piece in prop_oneof![
            any::<String>(),
            select(&["!Ref X", "!Sub ${", "&a", "*a", "- - -", "{", "[", "|", "\t", "!GetAtt", "null", "9e999"])
                .prop_map(str::to_owned),
        ],
    ) {
        let start = position.index(variant.len());
        let end = (start + length).min(variant.len());
        let damaged = [&variant.as_bytes()[..start], piece.as_bytes(), &variant.as_bytes()[end..]].concat();
        // Either is right; that it comes back is what is tested.
        let _ = load(&damaged);
    }
}
