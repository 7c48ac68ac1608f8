//! Event source mappings.

use std::time::Duration;

use super::{assert_refused, function_resource, read, template};

fn mapping(timeout: u32, properties: &str) -> String {
    let function = function_resource(&format!("      Timeout: {timeout}"));
    template(&format!(
        "{function}  Q: {{Type: AWS::SQS::Queue}}
  M:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn, {properties}}}
"
    ))
}

#[test]
fn a_mapping_has_the_defaults_of_lambda() {
    let stack = read(&mapping(30, ""));
    let mapping = &stack.event_source_mappings[0];
    assert_eq!(mapping.logical_id, "M");
    assert_eq!(
        mapping.event_source_arn,
        "arn:aws:sqs:eu-central-1:123456789012:Q"
    );
    assert_eq!(mapping.function_name, "F");
    assert_eq!(
        (mapping.batch_size, mapping.maximum_batching_window),
        (10, Duration::ZERO)
    );
    assert_eq!((mapping.maximum_concurrency, mapping.enabled), (None, true));
    assert!(!mapping.report_batch_item_failures);
}

#[test]
fn a_mapping_is_read_whole() {
    let stack = read(&mapping(
        30,
        "BatchSize: 10000, MaximumBatchingWindowInSeconds: 1, ScalingConfig: {MaximumConcurrency: 2}, \
         FunctionResponseTypes: [ReportBatchItemFailures], Enabled: false",
    ));
    let mapping = &stack.event_source_mappings[0];
    assert_eq!(
        (mapping.batch_size, mapping.maximum_batching_window),
        (10_000, Duration::from_secs(1))
    );
    assert_eq!((mapping.maximum_concurrency, mapping.enabled), (Some(2), false));
    assert!(mapping.report_batch_item_failures);
}

#[test]
fn a_mapping_names_its_function_in_every_way_that_lambda_takes() {
    for name in ["F", "!GetAtt F.Arn", "123456789012:function:F"] {
        let template = mapping(3, "").replace("FunctionName: !Ref F", &format!("FunctionName: {name}"));
        assert_eq!(read(&template).event_source_mappings[0].function_name, "F");
    }
    let other = mapping(3, "").replace("FunctionName: !Ref F", "FunctionName: F:live");
    assert_refused(
        other,
        "the name or ARN of a function of this template, found `F:live`",
    );
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>,
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
#[test]
fn bad_mappings_are_refused() {
    for (properties, expected) in [
        (
            "BatchSize: 11",
            "a batch of more than 10 needs a MaximumBatchingWindowInSeconds of at least 1",
        ),
        ("BatchSize: 0", "from 1 to 10000"),
        ("MaximumBatchingWindowInSeconds: 301", "from 0 to 300"),
        ("ScalingConfig: {MaximumConcurrency: 1}", "from 2 to 1000"),
        ("FunctionResponseTypes: [Other]", "one of ReportBatchItemFailures"),
        ("FilterCriteria: {}", "FilterCriteria: not supported"),
        ("Enabled: maybe", "expected true or false"),
    ] {
        assert_refused(mapping(3, properties), expected);
    }
    assert_refused(
        mapping(3, "").replace("!GetAtt Q.Arn", "!GetAtt F.Arn"),
        "the ARN of a queue of this template",
    );
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
#[test]
fn a_function_that_runs_longer_than_messages_stay_hidden_is_refused_in_the_words_of_aws() {
    assert_refused(
        mapping(900, ""),
        "Resources.M: Queue visibility timeout: 30 seconds is less than Function timeout: 900 seconds",
    );
    let longer = mapping(900, "").replace("Queue}", "Queue, Properties: {VisibilityTimeout: 900}}");
    read(&longer);
}

#[test]
fn a_second_mapping_of_the_same_two_is_refused() {
    let again = "  N:\n    Type: AWS::Lambda::EventSourceMapping\n    Properties: {FunctionName: !Ref F, EventSourceArn: !GetAtt Q.Arn}\n";
    assert_refused(
        format!("{}{again}", mapping(3, "")),
        "Resources.N: an event source mapping of this queue",
    );
}

#[test]
fn a_queue_event_becomes_a_mapping() {
    let more = "      Events:
        Work:
          Type: SQS
          Properties: {Queue: !GetAtt Q.Arn, BatchSize: 1}";
    let stack = read(&template(&format!(
        "{}  Q: {{Type: AWS::SQS::Queue}}\n",
        function_resource(more)
    )));
    let mapping = &stack.event_source_mappings[0];
    assert_eq!((mapping.logical_id.as_str(), mapping.batch_size), ("FWork", 1));
    assert_eq!(mapping.function_name, "F");
}
