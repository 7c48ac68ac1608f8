//! What functions may do: policies of every origin.

use super::{assert_refused, function_resource, named_function, problems, read, template};
use crate::template::{Effect, Statement};

const REST: &str = "  Q: {Type: AWS::SQS::Queue}
  Tab:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
";
const QUEUE: &str = "arn:aws:sqs:eu-central-1:123456789012:Q";
const TABLE: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/Tab";

fn with(more: &str, resources: &str) -> String {
    template(&format!("{}{REST}{resources}", function_resource(more)))
}

fn statements(more: &str, resources: &str) -> Vec<Statement> {
    read(&with(more, resources)).functions.remove(0).statements
}

fn allow(actions: &[&str], resources: &[&str]) -> Statement {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Statement {
        effect: Effect::Allow,
        actions: texts(actions),
        not_actions: Vec::new(),
        resources: texts(resources),
        not_resources: Vec::new(),
    }
}

#[test]
fn inline_documents_are_read_in_every_form() {
    let found = statements(
        "      Policies:
        - Statement:
            - {Sid: One, Effect: Allow, Action: 'sqs:*', Resource: !GetAtt Q.Arn}
            - {Effect: Deny, NotAction: [a:b, 'c:d'], NotResource: '*', Condition: {}}
        - Version: '2012-10-17'
          Statement: {Effect: Allow, Action: '*', Resource: [!GetAtt Tab.Arn, !Sub '${Tab.Arn}/index/*']}",
        "",
    );
    let index = format!("{TABLE}/index/*");
    assert_eq!(found.len(), 3);
    assert_eq!(found[0], allow(&["sqs:*"], &[QUEUE]));
    assert_eq!(found[1].effect, Effect::Deny);
    assert_eq!((found[1].not_actions.len(), found[1].not_resources.len()), (2, 1));
    assert!(found[1].actions.is_empty() && found[1].resources.is_empty());
    assert_eq!(found[2], allow(&["*"], &[TABLE, &index]));
}

#[test]
fn policy_templates_of_sam_are_expanded() {
    let found = statements(
        "      Policies:
        - SQSSendMessagePolicy: {QueueName: !GetAtt Q.QueueName}
        - LambdaInvokePolicy: {FunctionName: other}
        - DynamoDBReadPolicy: {TableName: !Ref Tab}
        - AWSLambdaBasicExecutionRole
        - arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole",
        "",
    );
    assert_eq!(found[0], allow(&["sqs:SendMessage*"], &[QUEUE]));
    let function = "arn:aws:lambda:eu-central-1:123456789012:function:other*";
    assert_eq!(found[1], allow(&["lambda:InvokeFunction"], &[function]));
    assert_eq!(found[2].actions.len(), 5);
    assert_eq!(found[2].resources, [TABLE.to_owned(), format!("{TABLE}/index/*")]);
    assert_eq!(
        found[3],
        allow(
            &[
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes"
            ],
            &["*"]
        )
    );
    assert_eq!(found.len(), 4);

    let count = |policy: &str| {
        statements(&format!("      Policies: {policy}"), "")[0]
            .actions
            .len()
    };
    assert_eq!(count("[DynamoDBCrudPolicy: {TableName: Tab}]"), 10);
    assert_eq!(count("[DynamoDBWritePolicy: {TableName: Tab}]"), 3);
    assert_eq!(count("[SQSPollerPolicy: {QueueName: Q}]"), 6);
}

#[test]
fn policies_can_be_one_name_or_absent() {
    assert_eq!(statements("      Policies: AWSLambdaBasicExecutionRole", ""), []);
    assert_eq!(statements("      Policies: !Ref AWS::NoValue", ""), []);
}

#[test]
fn sam_allows_what_destinations_and_events_need() {
    let found = statements(
        "      EventInvokeConfig:
        DestinationConfig:
          OnFailure: {Type: SQS, Destination: !GetAtt Q.Arn}
          OnSuccess: {Type: Lambda, Destination: !GetAtt Other.Arn}
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Q.Arn}
      Events: {E: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}}",
        &named_function("Other", ""),
    );
    let other = "arn:aws:lambda:eu-central-1:123456789012:function:Other";
    assert_eq!(found.len(), 4);
    assert_eq!(found[0], allow(&["sqs:SendMessage"], &[QUEUE]));
    assert_eq!(found[1], allow(&["lambda:InvokeFunction"], &[other]));
    assert_eq!(found[2], allow(&["sqs:SendMessage"], &[QUEUE]));
    assert_eq!(found[3].resources, ["*"]);
}

#[test]
fn a_policy_attached_to_the_generated_role_reaches_the_function() {
    let policy = "  P:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: invoke-itself
      Roles: [!Ref FRole]
      PolicyDocument: {Statement: {Effect: Allow, Action: 'lambda:InvokeFunction', Resource: !GetAtt F.Arn}}
";
    let own = "arn:aws:lambda:eu-central-1:123456789012:function:F";
    assert_eq!(
        statements("", policy),
        [allow(&["lambda:InvokeFunction"], &[own])]
    );
}

#[test]
fn a_role_of_the_template_brings_all_its_policies() {
    let resources = "  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: own-role
      AssumeRolePolicyDocument: {}
      ManagedPolicyArns:
        - arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
        - !Ref M
      Policies:
        - PolicyName: inline
          PolicyDocument: {Statement: [{Effect: Allow, Action: 'sqs:SendMessage', Resource: !GetAtt Q.Arn}]}
  M:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Statement: [{Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt Tab.Arn}]}
  P:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: more
      Roles: [own-role]
      PolicyDocument: {Statement: [{Effect: Allow, Action: 'dynamodb:PutItem', Resource: !GetAtt Tab.Arn}]}
";
    let found = statements("      Role: !GetAtt R.Arn", resources);
    let expected = [
        allow(&["dynamodb:GetItem"], &[TABLE]),
        allow(&["sqs:SendMessage"], &[QUEUE]),
        allow(&["dynamodb:PutItem"], &[TABLE]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn managed_policies_of_the_template_are_attached_from_either_side() {
    let managed = |roles: &str| {
        format!(
            "  M:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      {roles}
      PolicyDocument: {{Statement: [{{Effect: Allow, Action: 'sqs:*', Resource: '*'}}]}}
"
        )
    };
    let expected = [allow(&["sqs:*"], &["*"])];
    assert_eq!(statements("      Policies: [!Ref M]", &managed("")), expected);
    assert_eq!(statements("", &managed("Roles: [!Ref FRole]")), expected);
}

#[test]
fn sam_adds_nothing_to_a_role_that_it_has_not_made() {
    let role = "  R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}}}\n";
    let more =
        "      Role: !GetAtt R.Arn\n      Events: {E: {Type: SQS, Properties: {Queue: !GetAtt Q.Arn}}}";
    assert_eq!(statements(more, role), []);
    let both = "      Role: !GetAtt R.Arn\n      Policies: []";
    assert_refused(with(both, role), "Policies: without effect beside `Role`");
}

/// CloudFormation makes a name out of the logical id where there is none
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html>); here it is
/// that id itself.
#[test]
fn a_function_runs_under_the_role_that_it_names_or_the_one_that_sam_makes() {
    let role = |properties: &str| format!("  R: {{Type: AWS::IAM::Role, Properties: {{{properties}}}}}\n");
    for (function, properties, expected) in [
        ("", "", "FRole"),
        ("      Role: !GetAtt R.Arn", "", "R"),
        ("      Role: !GetAtt R.Arn", "RoleName: own-role", "own-role"),
    ] {
        let resources = function_resource(function) + &role(properties);
        let stack = read(&template(&resources));
        assert_eq!(stack.functions[0].role_name, expected);
    }
}

#[test]
fn bad_policies_are_refused() {
    let role = |properties: &str| format!("  R: {{Type: AWS::IAM::Role, Properties: {{{properties}}}}}\n");
    for (more, resources, expected) in [
        (
            "Policies: [AmazonS3FullAccess]",
            String::new(),
            "Policies[0]: the policy `AmazonS3FullAccess` is not known",
        ),
        (
            "Policies: [S3ReadPolicy: {BucketName: b}]",
            String::new(),
            "the policy template `S3ReadPolicy` is not supported",
        ),
        (
            "Policies: [SQSPollerPolicy: {}]",
            String::new(),
            "`QueueName` is missing",
        ),
        (
            "Policies: [SQSPollerPolicy: {QueueName: a, Other: b}]",
            String::new(),
            "Other: not supported",
        ),
        ("Policies: [[a]]", String::new(), "expected a policy"),
        ("Role: !Ref R", role(""), "the ARN of a role of this template"),
        (
            "Role: 'arn:aws:iam::1:role/x'",
            String::new(),
            "the ARN of a role of this template",
        ),
        (
            "Timeout: 3",
            role("PermissionsBoundary: x"),
            "PermissionsBoundary: not supported",
        ),
        (
            "Timeout: 3",
            role("ManagedPolicyArns: [x]"),
            "the policy `x` is not known",
        ),
    ] {
        let found = problems(with(&format!("      {more}"), &resources)).join("\n");
        assert!(found.contains(expected), "{more}: {found}");
    }
}

#[test]
fn bad_statements_are_refused() {
    for (statement, expected) in [
        (
            "Effect: Allow, Action: 'a:b'",
            "either `Resource` or `NotResource`",
        ),
        ("Effect: Allow, Resource: '*'", "either `Action` or `NotAction`"),
        (
            "Effect: Allow, Action: 'a:b', NotAction: 'a:c', Resource: '*'",
            "either `Action` or `NotAction`",
        ),
        ("Action: 'a:b', Resource: '*'", "`Effect` is missing"),
        (
            "Effect: Permit, Action: 'a:b', Resource: '*'",
            "one of Allow, Deny",
        ),
        (
            "Effect: Allow, Action: [], Resource: '*'",
            "expected at least one",
        ),
        (
            "Effect: Allow, Action: SendMessage, Resource: '*'",
            "an action such as",
        ),
        (
            "Effect: Allow, Action: 'a:b', Resource: !Ref Tab",
            "expected `*` or an ARN, found `Tab`",
        ),
        (
            "Effect: Allow, Action: 'a:b', Resource: 'arn:x${aws:username}'",
            "policy variables are not supported",
        ),
        (
            "Effect: Allow, Action: 'a:b', Resource: '*', Condition: {Bool: {x: y}}",
            "Condition: conditions of policies are not supported",
        ),
        (
            "Effect: Allow, Action: 'a:b', Resource: '*', Principal: '*'",
            "Principal: not supported",
        ),
    ] {
        let template = with(&format!("      Policies: [{{Statement: [{{{statement}}}]}}]"), "");
        assert_refused(template, expected);
    }
    let version = "      Policies: [{Version: '2020-01-01', Statement: []}]";
    assert_refused(with(version, ""), "one of 2012-10-17, 2008-10-17");
}

#[test]
fn a_policy_for_no_role_of_the_template_is_refused() {
    let policy = "  P:
    Type: AWS::IAM::Policy
    Properties:
      Roles: [nobody]
      PolicyDocument: {Statement: []}
";
    assert_refused(
        with("", policy),
        "P.Properties.Roles[0]: expected the name of a role of this template",
    );
    assert_refused(
        with("", &policy.replace("Roles: [nobody]", "Users: [x]")),
        "Users: not supported",
    );
}
