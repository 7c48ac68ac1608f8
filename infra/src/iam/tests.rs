use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::template::{AsynchronousConfiguration, Code, Effect, Function, RecursiveLoop, Statement};

fn account() -> Account {
    Account {
        id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
    }
}

fn statement(effect: Effect, action: &str, resource: &str) -> Statement {
    Statement {
        effect,
        actions: vec![action.to_owned()],
        not_actions: Vec::new(),
        resources: vec![resource.to_owned()],
        not_resources: Vec::new(),
    }
}

fn function(statements: Vec<Statement>) -> Function {
    Function {
        logical_id: "ApiFunction".to_owned(),
        name: "api".to_owned(),
        arn: "arn:aws:lambda:us-east-1:123456789012:function:api".to_owned(),
        code: Code::Bootstrap {
            directory: "/".into(),
        },
        handler: "bootstrap".to_owned(),
        runtime: "provided.al2023".to_owned(),
        memory_size: 128,
        timeout: std::time::Duration::from_secs(3),
        environment: std::collections::BTreeMap::new(),
        reserved_concurrent_executions: None,
        asynchronous: AsynchronousConfiguration::default(),
        dead_letter_target: None,
        recursive_loop: RecursiveLoop::default(),
        role_name: "ApiFunctionRole".to_owned(),
        statements,
    }
}

const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:tasks";
const SEND: &str = r#"{"QueueUrl":"http://127.0.0.1:9000/123456789012/tasks","MessageBody":"hello"}"#;

/// A request to send a message, signed with these keys by the SDK's own signer.
fn signed(operation: &str, credentials: &Credentials) -> Parts {
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    let identity = aws_credential_types::Credentials::new(
        credentials.access_key_id.clone(),
        credentials.secret_access_key.clone(),
        credentials.session_token.clone(),
        None,
        "test",
    )
    .into();
    let parameters = aws_sigv4::sign::v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name("sqs")
        .time(std::time::SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let target = format!("AmazonSQS.{operation}");
    let url = "http://127.0.0.1:9000/";
    let headers = [("x-amz-target", target.as_str())].into_iter();
    let signable = SignableRequest::new("POST", url, headers, SignableBody::Bytes(SEND.as_bytes())).unwrap();
    let mut request = Request::builder()
        .method("POST")
        .uri("/")
        .header("host", "127.0.0.1:9000")
        .header("x-amz-target", &target)
        .body(())
        .unwrap();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request.into_parts().0
}

fn check(iam: &Iam, operation: &str, credentials: &Credentials) -> Result<(), Refusal> {
    iam.check(Service::Sqs, &signed(operation, credentials), SEND.as_bytes())
        .map(|_| ())
}

#[test]
fn the_user_may_do_everything_and_a_function_what_its_role_allows() {
    let mut iam = Iam::new(account());
    let user = iam.add_user("local");
    let allow = statement(Effect::Allow, "sqs:SendMessage", QUEUE);
    let may = iam.add_function(&function(vec![allow.clone()]));
    let deny = statement(Effect::Deny, "sqs:*", "*");
    let may_not = iam.add_function(&function(vec![allow, deny]));
    for operation in ["SendMessage", "PurgeQueue", "StartMessageMoveTask"] {
        assert!(check(&iam, operation, &user).is_ok());
    }
    assert!(check(&iam, "SendMessage", &may).is_ok());
    let refused = |operation, credentials| check(&iam, operation, credentials).unwrap_err().to_string();
    assert_eq!(
        refused("PurgeQueue", &may),
        "User: arn:aws:sts::123456789012:assumed-role/ApiFunctionRole/api is not authorized to perform: \
         sqs:PurgeQueue on resource: arn:aws:sqs:us-east-1:123456789012:tasks because no identity-based policy \
         allows the sqs:PurgeQueue action"
    );
    assert_eq!(
        refused("SendMessage", &may_not),
        "User: arn:aws:sts::123456789012:assumed-role/ApiFunctionRole/api is not authorized to perform: \
         sqs:SendMessage on resource: arn:aws:sqs:us-east-1:123456789012:tasks with an explicit deny in an \
         identity-based policy"
    );
    assert!(refused("StartMessageMoveTask", &may).contains("does not know the permissions"));
}

#[test]
fn unknown_keys_wrong_secrets_and_wrong_tokens_are_refused() {
    let mut iam = Iam::new(account());
    let good = iam.add_function(&function(vec![statement(Effect::Allow, "*", "*")]));
    assert!(check(&iam, "SendMessage", &good).is_ok());
    let refused = |credentials| check(&iam, "SendMessage", &credentials).unwrap_err();
    assert_eq!(refused(Credentials::of_a_user()), Refusal::UnknownKey);
    let secret_access_key = "another".to_owned();
    assert!(matches!(
        refused(Credentials {
            secret_access_key,
            ..good.clone()
        }),
        Refusal::InvalidSignature(_)
    ));
    for session_token in [None, Some("another".to_owned())] {
        let wrong = Credentials {
            session_token,
            ..good.clone()
        };
        assert_eq!(refused(wrong), Refusal::UnknownKey);
    }
}

async fn answer(refusal: &Refusal, service: Service) -> (StatusCode, Value, Value) {
    let response = refusal.response(service);
    let header = response
        .headers()
        .get("x-amzn-errortype")
        .or(response.headers().get("x-amzn-query-error"));
    let header = json!(header.map(|header| header.to_str().unwrap()));
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    (status, header, serde_json::from_slice(&body).unwrap())
}

/// Where each is from is said in [`refusal`].
#[tokio::test]
async fn each_service_words_a_refusal_in_its_own_way() {
    let denied = Refusal::from(
        Principal::function(&account(), &function(Vec::new()))
            .may("sqs:SendMessage", QUEUE)
            .unwrap_err(),
    );
    let start =
        "User: arn:aws:sts::123456789012:assumed-role/ApiFunctionRole/api is not authorized to perform:";
    let end = |action| {
        format!(
            "{start} {action} on resource: {QUEUE} because no identity-based policy allows the {action} action"
        )
    };
    let coral = |name: &str| format!("com.amazon.coral.service#{name}");
    assert_eq!(
        answer(&denied, Service::DynamoDb).await,
        (
            StatusCode::BAD_REQUEST,
            Value::Null,
            json!({"__type": coral("AccessDeniedException"), "Message": end("sqs:SendMessage")})
        )
    );
    assert_eq!(
        answer(&denied, Service::Sqs).await,
        (
            StatusCode::FORBIDDEN,
            json!("AccessDenied;Sender"),
            json!({"__type": coral("AccessDeniedException"), "Message": end("sqs:sendmessage")})
        )
    );
    assert_eq!(
        answer(&denied, Service::Logs).await,
        (
            StatusCode::BAD_REQUEST,
            Value::Null,
            json!({"__type": "AccessDeniedException", "Message": end("sqs:SendMessage")})
        )
    );
    assert_eq!(
        answer(&denied, Service::Lambda).await,
        (
            StatusCode::FORBIDDEN,
            json!("AccessDeniedException"),
            json!({"Message": end("sqs:SendMessage")})
        )
    );
}

#[tokio::test]
async fn cloudformation_words_a_refusal_in_xml() {
    let url = "http://127.0.0.1:9000/".to_owned();
    for (refusal, status, code) in [
        (Refusal::Unsigned { url }, 403, "MissingAuthenticationToken"),
        (
            Refusal::IncompleteSignature("x".to_owned()),
            400,
            "IncompleteSignature",
        ),
        (
            Refusal::InvalidSignature("x".to_owned()),
            403,
            "SignatureDoesNotMatch",
        ),
        (Refusal::UnknownKey, 403, "InvalidClientTokenId"),
    ] {
        let response = refusal.response(Service::CloudFormation);
        assert_eq!(response.status().as_u16(), status);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{body}");
    }
}

#[tokio::test]
async fn the_error_that_a_service_gives_is_the_one_that_sdks_know() {
    let url = "http://127.0.0.1:9000/".to_owned();
    let unsigned = Refusal::Unsigned { url };
    let incomplete = Refusal::IncompleteSignature("incomplete".to_owned());
    let invalid = Refusal::InvalidSignature("invalid".to_owned());
    for (refusal, sqs, status_of_sqs, others) in [
        (
            unsigned,
            "AccessDenied",
            403,
            "MissingAuthenticationTokenException",
        ),
        (
            incomplete,
            "IncompleteSignature",
            400,
            "IncompleteSignatureException",
        ),
        (invalid, "SignatureDoesNotMatch", 403, "InvalidSignatureException"),
        (
            Refusal::UnknownKey,
            "InvalidClientTokenId",
            403,
            "UnrecognizedClientException",
        ),
    ] {
        let (status, header, body) = answer(&refusal, Service::Sqs).await;
        assert_eq!(
            (status.as_u16(), header),
            (status_of_sqs, json!(format!("{sqs};Sender")))
        );
        assert!(body["message"].is_string());
        let (status, header, body) = answer(&refusal, Service::Lambda).await;
        assert_eq!((status.as_u16(), header), (403, json!(others)));
        assert!(body["message"].is_string());
        let (status, _, body) = answer(&refusal, Service::DynamoDb).await;
        assert_eq!(status.as_u16(), 400);
        assert_eq!(body["__type"], format!("com.amazon.coral.service#{others}"));
    }
}

mod execution_roles {
    use super::*;
    use crate::template::{EventSourceMapping, Stack};

    const DEAD: &str = "arn:aws:sqs:us-east-1:123456789012:dead";

    fn stack(function: Function) -> Stack {
        let mapping = EventSourceMapping {
            logical_id: "Mapping".to_owned(),
            event_source_arn: QUEUE.to_owned(),
            function_name: function.name.clone(),
            batch_size: 10,
            maximum_batching_window: std::time::Duration::ZERO,
            maximum_concurrency: None,
            report_batch_item_failures: false,
            enabled: true,
        };
        Stack {
            functions: vec![function],
            queues: Vec::new(),
            tables: Vec::new(),
            event_source_mappings: vec![mapping],
            api: None,
            container_service: None,
            outputs: Vec::new(),
        }
    }

    #[test]
    fn a_mapping_needs_to_receive_to_delete_and_to_look() {
        let all = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
        let allow = |action: &str| statement(Effect::Allow, &format!("sqs:{action}"), QUEUE);
        let with = |actions: &[&str]| stack(function(actions.iter().map(|action| allow(action)).collect()));
        assert_eq!(execution_role::check(&with(&all), &account()), Ok(()));
        for missing in all {
            let others: Vec<&str> = all.into_iter().filter(|action| *action != missing).collect();
            let message = execution_role::check(&with(&others), &account())
                .unwrap_err()
                .to_string();
            let expected = format!(
                "Mapping: The function execution role does not have permissions to call {missing} on SQS: User: "
            );
            assert!(message.starts_with(&expected), "{message}");
        }
    }

    #[test]
    fn a_target_needs_to_be_sent_to_or_invoked() {
        let queues = statement(Effect::Allow, "sqs:*", QUEUE);
        let other = "arn:aws:lambda:us-east-1:123456789012:function:other".to_owned();
        let set: [fn(&mut Function, String); 3] = [
            |function, arn| function.dead_letter_target = Some(arn),
            |function, arn| function.asynchronous.on_success = Some(arn),
            |function, arn| function.asynchronous.on_failure = Some(arn),
        ];
        for set in set {
            for (target, action, words) in [
                (DEAD.to_owned(), "sqs:SendMessage", "SendMessage on SQS"),
                (other.clone(), "lambda:InvokeFunction", "InvokeFunction on Lambda"),
            ] {
                let mut refused = function(vec![queues.clone()]);
                set(&mut refused, target.clone());
                let message = execution_role::check(&stack(refused), &account())
                    .unwrap_err()
                    .to_string();
                assert!(
                    message.starts_with("ApiFunction: ") && message.contains(words),
                    "{message}"
                );
                let mut accepted = function(vec![queues.clone(), statement(Effect::Allow, action, &target)]);
                set(&mut accepted, target);
                assert_eq!(execution_role::check(&stack(accepted), &account()), Ok(()));
            }
        }
    }
}
