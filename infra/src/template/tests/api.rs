//! The HTTP API and its routes.

use std::time::Duration;

use super::{assert_refused, function_resource, function_template, problems, read, template};
use crate::template::{CorsConfiguration, Method, ResponseParameter, Target, Throttling};

fn event(properties: &str) -> String {
    function_template(&format!(
        "      Events:\n        E:\n          Type: HttpApi\n          Properties: {{{properties}}}"
    ))
}

#[test]
fn routes_are_read_with_any_spelling_of_their_method() {
    for (properties, method, path) in [
        ("Path: '/tasks/{id}', Method: any", Method::Any, "/tasks/{id}"),
        ("Path: '/{proxy+}', Method: Post", Method::Post, "/{proxy+}"),
        (
            "Path: /, Method: GET, PayloadFormatVersion: '2.0'",
            Method::Get,
            "/",
        ),
        (
            "Path: $default, Method: x-amazon-apigateway-any-method",
            Method::Any,
            "$default",
        ),
        ("", Method::Any, "$default"),
    ] {
        let api = read(&event(properties)).api.unwrap();
        assert_eq!(
            (api.logical_id.as_str(), api.id.as_str()),
            ("ServerlessHttpApi", "serverlesshttpapi")
        );
        let route = &api.routes[0];
        assert_eq!(
            (route.method, route.path.as_str(), &route.target),
            (method, path, &Target::Function("F".to_owned()))
        );
    }
}

#[test]
fn bad_routes_are_refused() {
    for (properties, expected) in [
        ("Path: tasks, Method: GET", "a path that starts with `/`"),
        ("Path: '/a{b}', Method: GET", "variables as whole segments"),
        ("Path: '/{a+}/b', Method: GET", "variables as whole segments"),
        ("Path: '/{}', Method: GET", "variables as whole segments"),
        ("Path: '/{a}/{a}', Method: GET", "`a` stands twice"),
        ("Path: /a, Method: FETCH", "one of ANY, DELETE, GET"),
        ("Path: /a", "`Method` is missing"),
        ("Method: GET", "`Path` is missing"),
        ("Path: $default, Method: GET", "takes every method"),
        ("Path: /a, Method: GET, Auth: {}", "Auth: not supported"),
        (
            "Path: /a, Method: GET, TimeoutInMillis: 100",
            "TimeoutInMillis: not supported",
        ),
        ("Path: /a, Method: GET, PayloadFormatVersion: '1.0'", "one of 2.0"),
        (
            "Path: /a, Method: GET, ApiId: abc",
            "expected `!Ref` of an AWS::Serverless::HttpApi",
        ),
        (
            "Path: /a, Method: GET, ApiId: !Ref F",
            "`F` is not an AWS::Serverless::HttpApi",
        ),
    ] {
        let found = problems(event(properties)).join("\n");
        assert!(found.contains(expected), "{properties}: {found}");
    }
}

#[test]
fn a_route_declared_twice_is_refused() {
    let more = "      Events:
        A: {Type: HttpApi, Properties: {Path: /a, Method: GET}}
        B: {Type: HttpApi, Properties: {Path: /a, Method: get}}";
    assert_refused(function_template(more), "the route `GET /a` is declared twice");
}

#[test]
fn other_events_are_refused() {
    for kind in ["Api", "Schedule", "SNS"] {
        let more = format!("      Events:\n        E:\n          Type: {kind}");
        assert_refused(
            function_template(&more),
            "not supported by the local cloud, but HttpApi and SQS",
        );
    }
}

#[test]
fn two_apis_are_refused() {
    let implicit = function_resource("      Events: {E: {Type: HttpApi}}");
    let template = template(&format!("  Api: {{Type: AWS::Serverless::HttpApi}}\n{implicit}"));
    assert_refused(template, "a second HTTP API");
}

fn api(properties: &str) -> String {
    template(&format!(
        "  Api:\n    Type: AWS::Serverless::HttpApi\n    Properties: {{{properties}}}\n"
    ))
}

#[test]
fn cross_origin_sharing_is_read() {
    let cors = |properties| read(&api(properties)).api.unwrap().cors;
    assert_eq!(cors(""), None);
    assert_eq!(cors("CorsConfiguration: false"), None);
    let every = CorsConfiguration {
        allow_origins: vec!["*".to_owned()],
        ..Default::default()
    };
    assert_eq!(cors("CorsConfiguration: true"), Some(every));
    let full = "CorsConfiguration: {AllowOrigins: [a], AllowMethods: [GET], AllowHeaders: [h], \
                ExposeHeaders: [e], MaxAge: 60, AllowCredentials: true}";
    let expected = CorsConfiguration {
        allow_credentials: true,
        allow_headers: vec!["h".to_owned()],
        allow_methods: vec!["GET".to_owned()],
        allow_origins: vec!["a".to_owned()],
        expose_headers: vec!["e".to_owned()],
        max_age: Some(Duration::from_mins(1)),
    };
    assert_eq!(cors(full), Some(expected));
}

#[test]
fn throttling_is_read_by_route() {
    let api = |properties: &str| {
        let routes =
            "      Events:\n        A: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /a, Method: GET}}";
        let function = function_resource(routes);
        let api = format!("  Api: {{Type: AWS::Serverless::HttpApi, Properties: {{{properties}}}}}\n");
        read(&template(&format!("{api}{function}"))).api.unwrap()
    };
    let read = |properties: &str| api(properties).throttling.of("GET /a");
    let settings = "DefaultRouteSettings: {ThrottlingBurstLimit: 5, ThrottlingRateLimit: 0.5}";
    assert_eq!(read(settings), Some(Throttling { burst: 5, rate: 0.5 }));
    let own = format!("{settings}, RouteSettings: {{GET /a: {{ThrottlingBurstLimit: 1}}}}");
    assert_eq!(
        read(&own),
        Some(Throttling {
            burst: 1,
            rate: 10_000.0
        })
    );
    assert_eq!(
        api(&own).throttling.of("GET /b"),
        Some(Throttling { burst: 5, rate: 0.5 })
    );
    assert_eq!(read("DefaultRouteSettings: {DetailedMetricsEnabled: true}"), None);
    assert_eq!(read(""), None);
}

#[test]
fn an_access_log_has_a_format_and_its_destination_does_not_matter() {
    let read = |properties: &str| {
        let log_group = "  Log: {Type: AWS::Logs::LogGroup}\n";
        read(&format!("{}{log_group}", api(properties)))
            .api
            .unwrap()
            .access_log_format
    };
    let settings =
        "AccessLogSettings: {DestinationArn: !GetAtt Log.Arn, Format: !Sub '${AWS::Region} $context.path'}";
    assert_eq!(read(settings).as_deref(), Some("eu-central-1 $context.path"));
    assert_eq!(read(""), None);
}

/// An API with one route, whose definition says this of security.
fn with_security(components: &str, security: &str) -> String {
    let definition = format!(
        "DefinitionBody: {{openapi: 3.0.1, info: {{title: T, version: '1'}}, components: {components},
                           paths: {{/a: {{x-amazon-apigateway-any-method: {{responses: {{}}, security: {security}}}}}}}}}"
    );
    let event = "Events: {E: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /a, Method: ANY}}}";
    format!(
        "{}{}",
        api(&definition),
        function_resource(&format!("      {event}"))
    )
}

const IAM: &str = "{securitySchemes: {S: {type: apiKey, name: Authorization, in: header,
                                          x-amazon-apigateway-authtype: awsSigv4}}}";

#[test]
fn a_definition_says_which_routes_iam_protects() {
    let protected = |components, security| {
        let api = read(&with_security(components, security)).api.unwrap();
        api.routes_with_iam.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(protected(IAM, "[{S: []}]"), ["ANY /a"]);
    assert!(protected(IAM, "[]").is_empty());
    assert!(protected("!Ref AWS::NoValue", "!Ref AWS::NoValue").is_empty());
}

#[test]
fn what_a_definition_says_and_the_local_cloud_does_not_do_is_refused() {
    let jwt = "{securitySchemes: {S: {type: oauth2, x-amazon-apigateway-authorizer: {type: jwt}}}}";
    for (components, security, expected) in [
        (jwt, "[{S: []}]", "does not check tokens"),
        (IAM, "[{T: []}]", "no security scheme `T`"),
        (
            "{securitySchemes: {S: {type: http}}}",
            "[{S: []}]",
            "`x-amazon-apigateway-authtype` is missing",
        ),
    ] {
        assert_refused(with_security(components, security), expected);
    }
    let other = with_security(IAM, "[]").replace("/a: {x", "/b: {x");
    assert_refused(other, "no function has an event for this route");
}

#[test]
fn globals_reach_the_implicit_api() {
    let template = format!("{}Globals: {{HttpApi: {{CorsConfiguration: true}}}}\n", event(""));
    assert!(read(&template).api.unwrap().cors.is_some());
}

#[test]
fn bad_apis_are_refused() {
    for (properties, expected) in [
        ("StageName: prod", "one of $default"),
        ("DefinitionUri: api.yaml", "DefinitionUri: not supported"),
        ("Auth: {}", "Auth: not supported"),
        (
            "DefaultRouteSettings: {ThrottlingRateLimit: -1}",
            "a number of requests per second",
        ),
        (
            "DefaultRouteSettings: {ThrottlingBurstLimit: 0.5}",
            "a whole number",
        ),
        ("DefaultRouteSettings: {Timeout: 1}", "Timeout: not supported"),
        (
            "RouteSettings: {GET /a: {ThrottlingBurstLimit: 1}}",
            "there is no route `GET /a`",
        ),
        ("AccessLogSettings: {Colour: red}", "Colour: not supported"),
        ("DisableExecuteApiEndpoint: true", "one of false"),
        (
            "CorsConfiguration: {AllowOrigins: ['*'], AllowCredentials: true}",
            "AllowCredentials cannot be true",
        ),
    ] {
        assert_refused(api(properties), expected);
    }
}

/// An API that sends to a queue, whose integration has these lines in the place of one of its own.
fn integration(change: (&str, &str)) -> String {
    let resources = "  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        openapi: 3.0.1
        info: {title: api, version: '1'}
        paths:
          /tasks:
            post:
              responses: {default: {description: accepted}}
              x-amazon-apigateway-integration:
                type: aws_proxy
                integrationSubtype: SQS-SendMessage
                payloadFormatVersion: '1.0'
                credentials: !GetAtt R.Arn
                requestParameters: {QueueUrl: !Ref Q, MessageBody: $request.body}
                responseParameters: {'200': {'overwrite:statuscode': '202', 'append:header.retry-after': '1'}}
  Q: {Type: AWS::SQS::Queue}
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {}
      Policies:
        - PolicyName: send
          PolicyDocument:
            Version: 2012-10-17
            Statement: {Effect: Allow, Action: sqs:SendMessage, Resource: !GetAtt Q.Arn}
";
    assert!(resources.contains(change.0), "{}", change.0);
    template(&resources.replacen(change.0, change.1, 1))
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html>
#[test]
fn an_api_can_send_to_a_queue_under_a_role() {
    let api = read(&integration(("", ""))).api.unwrap();
    let route = &api.routes[0];
    assert_eq!(route.key(), "POST /tasks");
    let Target::SendMessage(integration) = &route.target else {
        panic!("{route:?}");
    };
    assert_eq!(
        (integration.queue_arn.as_str(), integration.role_name.as_str()),
        ("arn:aws:sqs:eu-central-1:123456789012:Q", "R")
    );
    assert_eq!(integration.statements[0].actions, ["sqs:SendMessage"]);
    assert_eq!(
        integration.response_parameters[&200],
        [
            ResponseParameter::OverwriteStatus(202),
            ResponseParameter::AppendHeader("retry-after".to_owned(), "1".to_owned())
        ]
    );
}

#[test]
fn an_integration_that_cannot_be_run_is_refused() {
    for (from, to, expected) in [
        ("SQS-SendMessage", "SQS-PurgeQueue", "one of SQS-SendMessage"),
        ("type: aws_proxy", "type: http_proxy", "expected aws_proxy"),
        ("'1.0'", "'2.0'", "one of 1.0"),
        (
            "!GetAtt R.Arn",
            "arn:aws:iam::123456789012:role/other",
            "the ARN of a role of this template",
        ),
        (
            "!Ref Q",
            "https://elsewhere/q",
            "the URL of a queue of this template",
        ),
        ("$request.body", "$request.body.message", "one of $request.body"),
        (", MessageBody: $request.body", "", "`MessageBody` is missing"),
        (
            "QueueUrl: !Ref Q",
            "QueueUrl: !Ref Q, DelaySeconds: '1'",
            "DelaySeconds: not supported",
        ),
        ("'202'", "'199'", "a status from 200 to 599"),
        ("'200':", "ok:", "a status from 200 to 599"),
        ("header.retry-after", "header.apigw-x", "reserves the header"),
        ("'append:header", "'add:header", "append, overwrite or remove"),
        (": '1'}}", ": $context.requestId}}", "only static values"),
        ("post:", "send:", "not a method"),
        ("/tasks:", "tasks:", "a path that starts with `/`"),
    ] {
        let found = problems(integration((from, to))).join("\n");
        assert!(found.contains(expected), "{to}: {found}");
    }
}
