//! Queues and tables.

use serde_json::json;

use super::{assert_refused, read, template};

fn queue(properties: &str) -> String {
    template(&format!(
        "  Q:\n    Type: AWS::SQS::Queue\n    Properties: {{{properties}}}\n  D: {{Type: AWS::SQS::Queue}}\n"
    ))
}

#[test]
fn a_queue_is_named_and_has_its_attributes_as_text() {
    let stack = read(&queue(
        "QueueName: tasks, VisibilityTimeout: 5400, DelaySeconds: 0, SqsManagedSseEnabled: false, \
         RedrivePolicy: {deadLetterTargetArn: !GetAtt D.Arn, maxReceiveCount: 5}, \
         RedriveAllowPolicy: {redrivePermission: denyAll}",
    ));
    let queue = &stack.queues[0];
    assert_eq!((queue.logical_id.as_str(), queue.name.as_str()), ("Q", "tasks"));
    assert_eq!(queue.arn, "arn:aws:sqs:eu-central-1:123456789012:tasks");
    assert_eq!(queue.url, "http://127.0.0.1:4566/123456789012/tasks");
    let attributes: Vec<_> = queue
        .attributes
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    assert_eq!(
        attributes,
        [
            ("DelaySeconds", "0"),
            ("RedriveAllowPolicy", r#"{"redrivePermission":"denyAll"}"#),
            (
                "RedrivePolicy",
                r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-central-1:123456789012:D","maxReceiveCount":5}"#
            ),
            ("SqsManagedSseEnabled", "false"),
            ("VisibilityTimeout", "5400"),
        ]
    );
    assert_eq!(stack.queues[1].name, "D");
    assert!(stack.queues[1].attributes.is_empty());
}

#[test]
fn bad_queues_are_refused() {
    for (properties, expected) in [
        (
            "VisibilityTimeout: 43201",
            "5: Resources.Q.Properties.VisibilityTimeout: expected a whole number from 0 to 43200",
        ),
        ("MessageRetentionPeriod: 59", "from 60 to 1209600"),
        ("MaximumMessageSize: 1048577", "from 1024 to 1048576"),
        ("ReceiveMessageWaitTimeSeconds: 21", "from 0 to 20"),
        ("DelaySeconds: 901", "from 0 to 900"),
        ("FifoQueue: true", "FIFO queues are not supported"),
        ("QueueName: a.fifo", "a name of 1 to 80"),
        ("ContentBasedDeduplication: true", "not supported"),
        (
            "RedrivePolicy: {deadLetterTargetArn: x, maxReceiveCount: 1}",
            "the ARN of a queue of this template",
        ),
        (
            "RedrivePolicy: {deadLetterTargetArn: !GetAtt D.Arn}",
            "`maxReceiveCount` is missing",
        ),
        (
            "RedrivePolicy: {deadLetterTargetArn: !GetAtt D.Arn, maxReceiveCount: 0}",
            "from 1 to 1000",
        ),
        (
            "RedriveAllowPolicy: {redrivePermission: some}",
            "one of allowAll, byQueue, denyAll",
        ),
    ] {
        assert_refused(queue(properties), expected);
    }
}

fn table(properties: &str) -> String {
    template(&format!(
        "  Tab:\n    Type: AWS::DynamoDB::Table\n    Properties:\n{properties}"
    ))
}

const KEYS: &str = "      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
";

#[test]
fn a_table_becomes_the_request_that_creates_it() {
    let stack = read(&table(
        "      TableName: tasks
      BillingMode: PROVISIONED
      ProvisionedThroughput: &units {ReadCapacityUnits: 5, WriteCapacityUnits: '6'}
      AttributeDefinitions:
        - {AttributeName: id, AttributeType: S}
        - {AttributeName: at, AttributeType: N}
      KeySchema:
        - {AttributeName: id, KeyType: HASH}
        - {AttributeName: at, KeyType: RANGE}
      GlobalSecondaryIndexes:
        - IndexName: by-time
          KeySchema: [{AttributeName: at, KeyType: HASH}]
          Projection: {ProjectionType: INCLUDE, NonKeyAttributes: [status]}
          ProvisionedThroughput: *units
      LocalSecondaryIndexes:
        - IndexName: local
          KeySchema: [{AttributeName: id, KeyType: HASH}, {AttributeName: at, KeyType: RANGE}]
          Projection: {ProjectionType: ALL}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
",
    ));
    let units = json!({ "ReadCapacityUnits": 5, "WriteCapacityUnits": 6 });
    assert_eq!(
        stack.tables[0].create_table,
        json!({
            "TableName": "tasks",
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": units,
            "AttributeDefinitions": [
                { "AttributeName": "id", "AttributeType": "S" },
                { "AttributeName": "at", "AttributeType": "N" },
            ],
            "KeySchema": [
                { "AttributeName": "id", "KeyType": "HASH" },
                { "AttributeName": "at", "KeyType": "RANGE" },
            ],
            "GlobalSecondaryIndexes": [{
                "IndexName": "by-time",
                "KeySchema": [{ "AttributeName": "at", "KeyType": "HASH" }],
                "Projection": { "ProjectionType": "INCLUDE", "NonKeyAttributes": ["status"] },
                "ProvisionedThroughput": units,
            }],
            "LocalSecondaryIndexes": [{
                "IndexName": "local",
                "KeySchema": [
                    { "AttributeName": "id", "KeyType": "HASH" },
                    { "AttributeName": "at", "KeyType": "RANGE" },
                ],
                "Projection": { "ProjectionType": "ALL" },
            }],
        })
    );
    assert_eq!(
        stack.tables[0].time_to_live_attribute.as_deref(),
        Some("expires_at")
    );
}

#[test]
fn bad_tables_are_refused() {
    let on_demand = format!("{KEYS}      BillingMode: PAY_PER_REQUEST\n");
    read(&table(&on_demand));
    for (properties, expected) in [
        (KEYS.to_owned(), "`ProvisionedThroughput` is missing"),
        (
            format!("{on_demand}      ProvisionedThroughput: {{}}\n"),
            "not with `BillingMode: PAY_PER_REQUEST`",
        ),
        (
            format!("{on_demand}      StreamSpecification: {{}}\n"),
            "StreamSpecification: not supported",
        ),
        (format!("{on_demand}      TableName: ab\n"), "a name of 3 to 255"),
        (
            on_demand.replace("id, AttributeType", "other, AttributeType"),
            "exactly the attributes of the keys (id), found other",
        ),
        (
            on_demand.replace("AttributeType: S", "AttributeType: X"),
            "one of B, N, S",
        ),
        (on_demand.replace("HASH", "RANGE"), "one of HASH"),
        (
            on_demand.replace("[{AttributeName: id, KeyType: HASH}]", "[]"),
            "at least one attribute",
        ),
        (
            format!("{on_demand}      TimeToLiveSpecification: {{Enabled: true}}\n"),
            "`AttributeName` is missing",
        ),
    ] {
        assert_refused(table(&properties), expected);
    }
}

#[test]
fn a_table_whose_logical_id_is_too_short_for_a_name_is_refused() {
    let on_demand = format!("{KEYS}      BillingMode: PAY_PER_REQUEST\n");
    let short = table(&on_demand).replace("  Tab:", "  T:");
    assert_refused(
        short,
        "Resources.T: the local cloud names a table by its logical id",
    );
}
