//! Intrinsic functions and conditions.

use super::{assert_refused, function_resource, problems, read};

const HEAD: &str = "Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Zones: {Type: CommaDelimitedList, Default: 'a,b,c'}
Mappings:
  Sizes: {dev: {Memory: 256, Names: [x, y]}, prod: {Memory: 1024}}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsProd: {Fn::Not: [Condition: IsDev]}
  Both: !And [!Condition IsDev, !Condition IsProd]
  Either: !Or [!Condition IsDev, !Condition IsProd]
";

fn template(value: &str) -> String {
    let resources = function_resource("");
    let more = "  Q: {Type: AWS::SQS::Queue}
  Tab:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Api: {Type: AWS::Serverless::HttpApi}
  Absent: {Type: AWS::SQS::Queue, Condition: IsProd}
";
    format!("{HEAD}Resources:\n{resources}{more}Outputs:\n  Value:\n    Value: {value}\n")
}

#[track_caller]
fn assert_value(value: &str, expected: &str) {
    assert_eq!(read(&template(value)).outputs[0].value, expected, "{value}");
}

#[test]
fn references_give_names_and_the_queue_its_url() {
    assert_value("!Ref F", "F");
    assert_value("{Ref: Q}", "http://127.0.0.1:4566/123456789012/Q");
    assert_value("!Ref Tab", "Tab");
    assert_value("!Ref Api", "api");
    assert_value("!Ref FRole", "FRole");
}

#[test]
fn attributes_give_arns_and_addresses() {
    assert_value(
        "!GetAtt F.Arn",
        "arn:aws:lambda:eu-central-1:123456789012:function:F",
    );
    assert_value("!GetAtt [Q, Arn]", "arn:aws:sqs:eu-central-1:123456789012:Q");
    assert_value(
        "{Fn::GetAtt: [Tab, Arn]}",
        "arn:aws:dynamodb:eu-central-1:123456789012:table/Tab",
    );
    assert_value("{Fn::GetAtt: FRole.Arn}", "arn:aws:iam::123456789012:role/FRole");
    assert_value("!GetAtt Q.QueueName", "Q");
    assert_value("!GetAtt Q.QueueUrl", "http://127.0.0.1:4566/123456789012/Q");
    assert_value("!GetAtt Api.ApiEndpoint", "http://127.0.0.1:3000");
}

#[test]
fn pseudo_parameters_describe_the_local_cloud() {
    assert_value(
        "!Sub '${AWS::Region} ${AWS::AccountId} ${AWS::Partition} ${AWS::URLSuffix}'",
        "eu-central-1 123456789012 aws amazonaws.com",
    );
    assert_value("!Ref AWS::StackName", "test");
    assert_value(
        "!Ref AWS::StackId",
        "arn:aws:cloudformation:eu-central-1:123456789012:stack/test/local",
    );
}

#[test]
fn substitution_knows_variables_attributes_and_literals() {
    assert_value(
        "!Sub '${Stage}-${F.Arn}'",
        "dev-arn:aws:lambda:eu-central-1:123456789012:function:F",
    );
    assert_value("!Sub ['${Stage}-${X}', {X: !GetAtt Q.QueueName}]", "dev-Q");
    assert_value("{Fn::Sub: ['${Stage}', {Stage: own}]}", "own");
    assert_value("!Sub '${!Stage} $Stage ${'", "${Stage} $Stage ${");
}

#[test]
fn the_public_address_of_the_api_becomes_the_local_one() {
    assert_value(
        "!Sub 'https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/tasks'",
        "http://127.0.0.1:3000/tasks",
    );
    assert_value(
        "!Join ['', ['https://', !Ref Api, '.execute-api.', !Ref AWS::Region, '.amazonaws.com']]",
        "http://127.0.0.1:3000",
    );
}

#[test]
fn lists_are_joined_split_and_selected_from() {
    assert_value("!Join ['-', [a, !Ref Stage, b]]", "a-dev-b");
    assert_value("!Join [',', !Ref Zones]", "a,b,c");
    assert_value("!Join ['', []]", "");
    assert_value("!Select [1, !Ref Zones]", "b");
    assert_value("!Select ['2', !Split ['/', 'x/y/z']]", "z");
    assert_value("!Join ['', [a, !Ref AWS::NoValue]]", "a");
}

#[test]
fn maps_are_looked_up() {
    assert_value("!FindInMap [Sizes, !Ref Stage, Memory]", "256");
    assert_value("!Select [1, !FindInMap [Sizes, dev, Names]]", "y");
}

#[test]
fn conditions_decide_values_and_resources() {
    assert_value("!If [IsDev, yes-dev, no-dev]", "yes-dev");
    assert_value("!If [IsProd, a, !If [Either, b, c]]", "b");
    assert_value("!If [Both, a, b]", "b");
    assert_eq!(read(&template("x")).queues.len(), 1);
    let prod = template("x").replace("Default: dev", "Default: prod");
    assert_eq!(read(&prod).queues.len(), 2);
}

#[test]
fn the_branch_that_is_not_taken_is_not_resolved() {
    assert_value("!If [IsDev, a, !Ref Absent]", "a");
}

#[test]
fn no_value_removes_a_property() {
    let resource = function_resource("      Timeout: !If [IsProd, 60, !Ref AWS::NoValue]");
    let stack = read(&format!("{HEAD}Resources:\n{resource}"));
    assert_eq!(stack.functions[0].timeout.as_secs(), 3);
}

#[test]
fn outputs_can_have_conditions_and_descriptions() {
    let outputs =
        "  Gone: {Condition: IsProd, Value: x}\n  Kept: {Description: why, Value: x, Export: {Name: e}}\n";
    let stack = read(&format!("{}{outputs}", template("x")));
    let keys: Vec<&str> = stack.outputs.iter().map(|output| output.key.as_str()).collect();
    assert_eq!(keys, ["Value", "Kept"]);
    assert_eq!(stack.outputs[1].description.as_deref(), Some("why"));
}

#[test]
fn what_cannot_be_resolved_is_refused_with_its_place() {
    for (value, expected) in [
        ("!Ref Nobody", "Outputs.Value.Value.Ref: `Nobody` names nothing"),
        ("!Ref Absent", "`Absent` does not exist: its condition is false"),
        (
            "!Ref AWS::NotificationARNs",
            "`AWS::NotificationARNs` names nothing",
        ),
        ("!Ref AWS::NoValue", "AWS::NoValue cannot stand here"),
        ("!Ref [a]", "expected text, found a list"),
        (
            "!GetAtt Tab.StreamArn",
            "no attribute `StreamArn` in the local cloud, but Arn",
        ),
        ("!GetAtt Q", "expected `Resource.Attribute`"),
        ("!GetAtt Nobody.Arn", "`Nobody` names nothing"),
        ("!Sub '${Nobody}'", "`Nobody` names nothing"),
        ("!Sub '${Zones}'", "`Zones` is a list"),
        ("!Sub [a]", "expected a list of two"),
        ("!Sub {a: b}", "expected text, or a list"),
        ("!Join ['-', a]", "expected a list, found `a`"),
        ("!Join [a]", "expected a list of two"),
        ("!Select [3, !Ref Zones]", "no item 3 in a list of 3"),
        ("!Select [x, !Ref Zones]", "expected a whole number"),
        ("!Select [0, []]", "no item 0 in a list of 0"),
        ("!Split ['', x]", "the delimiter is empty"),
        (
            "!FindInMap [Sizes, test, Memory]",
            "`Mappings` has no Sizes.test.Memory",
        ),
        ("!FindInMap [Sizes, dev]", "expected a list of three"),
        ("!If [Nobody, a, b]", "there is no condition `Nobody`"),
        ("!If [IsDev, a]", "expected a list of three"),
        ("!Equals [a, b]", "Fn::Equals can only stand in `Conditions`"),
        ("!ImportValue x", "`!ImportValue` is not supported"),
        ("{Fn::GetAZs: x}", "`Fn::GetAZs` is not supported"),
        ("{Fn::Sub: x, Other: y}", "`Fn::Sub` must stand alone"),
        ("[a, b]", "expected text, found a list"),
        ("~", "expected a value, found nothing"),
    ] {
        let found = problems(template(value)).join("\n");
        assert!(found.contains(expected), "{value}: {found}");
    }
}

#[test]
fn conditions_that_cannot_be_decided_are_refused() {
    let with = |condition: &str| {
        let head = "Transform: AWS::Serverless-2016-10-31\nConditions:\n";
        format!(
            "{head}  A: {condition}\n  B: !Not [!Condition A]\nResources:\n{}",
            function_resource("")
        )
    };
    read(&with("!Equals [a, a]"));
    assert_refused(with("!Condition B"), "circle: A → B → A");
    for (condition, expected) in [
        ("text", "expected a condition"),
        ("!Ref F", "expected a condition"),
        (
            "!Equals [!Ref F, a]",
            "`F` names nothing that can be referred to here",
        ),
        ("!Equals [a]", "two values to compare"),
        ("!Not [!Equals [a, b], !Equals [a, b]]", "a list of one condition"),
        ("!And [!Equals [a, b]]", "2 to 10 conditions, found 1"),
        ("!Condition C", "there is no condition `C`"),
    ] {
        let found = problems(with(condition)).join("\n");
        assert!(found.contains(expected), "{condition}: {found}");
    }
}

#[test]
fn a_map_that_calls_itself_is_refused() {
    let template = template("!FindInMap [Sizes, dev, Memory]")
        .replace("Memory: 256", "Memory: !FindInMap [Sizes, dev, Memory]");
    assert_refused(
        template,
        "expected text, found the intrinsic function Fn::FindInMap",
    );
}
