//! Resource types, attributes and names.

use super::{assert_refused, named_function, problems, read, template};

#[test]
fn resource_types_are_supported_or_without_effect_or_refused() {
    let others = "  Logs: {Type: AWS::Logs::LogGroup, Properties: {RetentionInDays: 7}}
  Alarm: {Type: AWS::CloudWatch::Alarm, Properties: {Anything: [!GetAtt Q.QueueName]}, DeletionPolicy: Retain}
  Q: {Type: AWS::SQS::Queue}
";
    assert_eq!(read(&template(others)).queues.len(), 1);
    let found = problems(template(
        "  A: {Type: AWS::S3::Bucket}\n  B: {Type: AWS::SNS::Topic}\n",
    ));
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0],
        "3: Resources.A.Type: the resource type `AWS::S3::Bucket` is not supported by the local cloud"
    );
}

#[test]
fn resource_attributes_are_checked() {
    for (resource, expected) in [
        ("  Q: {Properties: {}}", "`Type` is missing"),
        ("  Q-1: {Type: AWS::SQS::Queue}", "letters and digits"),
        (
            "  Q: {Type: AWS::SQS::Queue, CreationPolicy: {}}",
            "CreationPolicy: not supported",
        ),
        (
            "  Q: {Type: AWS::SQS::Queue, DependsOn: Nobody}",
            "there is no resource `Nobody`",
        ),
        (
            "  Q: {Type: AWS::SQS::Queue, Condition: Nobody}",
            "there is no condition `Nobody`",
        ),
        (
            "  Q: {Type: AWS::SQS::Queue, Properties: }",
            "expected a map, found nothing",
        ),
        ("  Q: text", "expected a map, found `text`"),
    ] {
        assert_refused(template(&format!("{resource}\n")), expected);
    }
    let mut many = String::new();
    for number in 0..501 {
        many.push_str("  Q");
        many.push_str(&number.to_string());
        many.push_str(": {Type: AWS::SQS::Queue}\n");
    }
    assert_refused(template(&many), "more than 500 resources");
}

#[test]
fn two_resources_of_one_kind_with_the_same_name_are_refused() {
    let one = named_function("One", "      FunctionName: Two");
    let both = format!("{one}{}", named_function("Two", ""));
    assert_refused(
        template(&both),
        "Resources.Two: has the same name as `One`: `Two`",
    );
}
