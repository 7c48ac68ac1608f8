//! Circular dependencies, which CloudFormation refuses.

use super::{assert_refused, function_resource, named_function, read, template};

#[test]
fn a_function_whose_own_policy_names_it_is_a_circle() {
    let more = "      Policies:
        - Statement: [{Effect: Allow, Action: 'lambda:InvokeFunction', Resource: !GetAtt F.Arn}]";
    assert_refused(
        template(&function_resource(more)),
        "3: Resources.F: circular dependency: F → FRole → F (each needs the next to exist first)",
    );
}

#[test]
fn a_function_that_is_its_own_destination_is_a_circle() {
    let more = "      EventInvokeConfig:
        DestinationConfig: {OnSuccess: {Type: Lambda, Destination: !GetAtt F.Arn}}";
    assert_refused(
        template(&function_resource(more)),
        "circular dependency: F → FRole → F",
    );
}

#[test]
fn a_function_that_names_the_api_with_its_route_is_a_circle() {
    let more = "      Environment: {Variables: {URL: !Sub '${Api}'}}
      Events: {E: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /, Method: GET}}}";
    let resources = format!(
        "{}  Api: {{Type: AWS::Serverless::HttpApi}}\n",
        function_resource(more)
    );
    assert_refused(template(&resources), "circular dependency: Api → F → Api");
    let implicit = "      Environment: {Variables: {URL: !Ref ServerlessHttpApi}}
      Events: {E: {Type: HttpApi}}";
    assert_refused(
        template(&function_resource(implicit)),
        "circular dependency: F → ServerlessHttpApi → F",
    );
}

#[test]
fn another_function_may_name_the_api() {
    let events = "      Events: {E: {Type: HttpApi}}";
    let other = named_function(
        "Other",
        "      Environment: {Variables: {URL: !GetAtt ServerlessHttpApi.ApiEndpoint}}",
    );
    let stack = read(&template(&format!("{}{other}", function_resource(events))));
    assert_eq!(stack.functions[1].environment["URL"], "http://127.0.0.1:3000");
}

#[test]
fn two_functions_that_name_one_another_are_a_circle() {
    let one = named_function("One", "      Environment: {Variables: {OTHER: !Ref Two}}");
    let two = named_function(
        "Two",
        "      Environment: {Variables: {OTHER: !Sub '${One.Arn}'}}",
    );
    assert_refused(
        template(&format!("{one}{two}")),
        "circular dependency: One → Two → One",
    );
}

#[test]
fn depends_on_counts() {
    let resources = "  A: {Type: AWS::SQS::Queue, DependsOn: [B]}
  B:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt A.Arn, maxReceiveCount: 1}}
";
    assert_refused(template(resources), "circular dependency: A → B → A");
}

#[test]
fn the_branch_that_is_not_taken_closes_no_circle() {
    let text = template("  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !If [Never, !Ref A, a]}}\n");
    read(&format!("{text}Conditions: {{Never: !Equals [a, b]}}\n"));
}

#[test]
fn names_are_resolved_after_what_they_refer_to() {
    let resources = "  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${B.QueueName}-a'}}
  B: {Type: AWS::SQS::Queue, Properties: {QueueName: !Sub '${C.QueueName}-b'}}
  C: {Type: AWS::SQS::Queue}
";
    assert_eq!(read(&template(resources)).queues[0].name, "C-b-a");
}

#[test]
fn a_resource_named_like_one_that_sam_makes_is_refused() {
    let resources = format!("{}  FRole: {{Type: AWS::SQS::Queue}}\n", function_resource(""));
    assert_refused(
        template(&resources),
        "SAM makes a resource `FRole` that is declared already",
    );
}

#[test]
fn depends_on_a_generated_role_or_an_absent_resource_is_no_problem() {
    let resources = format!(
        "{}  Q: {{Type: AWS::SQS::Queue, DependsOn: [FRole, Absent]}}
  Absent: {{Type: AWS::SQS::Queue, Condition: Never}}
Conditions: {{Never: !Equals [a, b]}}
",
        function_resource("")
    );
    assert_eq!(read(&template(&resources)).queues.len(), 1);
}

#[test]
fn a_reference_to_nothing_is_refused() {
    assert_refused(
        template(&function_resource(
            "      Environment: {Variables: {AB: !Ref Nobody}}",
        )),
        "10: Resources.F.Properties.Environment.Variables.AB.Ref: there is no resource `Nobody`",
    );
}
