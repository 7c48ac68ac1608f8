//! First-class integrations with SQS: API Gateway sends the body of a request to a queue, under a role of its own, and
//! answers with what SQS says
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html>).
//!
//! SQS says it in XML, by its query protocol, and there is no way to have it otherwise
//! (<https://repost.aws/questions/QUaPE6RutbTwyDhG6ljJgZBA/http-api-gateway-sqs-response-mapping>); the response is
//! recorded in <https://github.com/localstack/localstack/pull/9102>. A body that is not there is a `Bad Request`
//! (<https://github.com/aws-samples/sessions-with-aws-sam/issues/38>). That a refusal of SQS comes to the client as it
//! is, like every other response of an integration, is not documented.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
};
use bytes::Bytes;

use super::{BAD_REQUEST, Refusal};
use crate::{
    iam::{Account, Principal},
    sqs::{ErrorCode, NewMessage, Sqs, SqsError},
    template::{ResponseParameter, SendMessage},
    xml::escape,
};

/// The name of API Gateway's session under the role, which refusals tell. It is not documented.
const SESSION: &str = "BackplaneAssumeRoleSession";

const NAMESPACE: &str = "http://queue.amazonaws.com/doc/2012-11-05/";

/// Sends a body to the queue. Answers what SQS does, changed as the integration wants it.
pub(super) fn send(
    integration: &SendMessage,
    account: &Account,
    sqs: &Sqs,
    body: &Bytes,
) -> Result<Response<Body>, Refusal> {
    let body = std::str::from_utf8(body)
        .ok()
        .filter(|body| !body.is_empty())
        .ok_or(BAD_REQUEST)?;
    let request_id = uuid::Uuid::new_v4();
    let (status, document) = match deliver(integration, account, sqs, body) {
        Ok(result) => (
            StatusCode::OK,
            format!(
                "<SendMessageResponse xmlns=\"{NAMESPACE}\"><SendMessageResult>{result}</SendMessageResult>\
                 <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></SendMessageResponse>"
            ),
        ),
        Err((status, error)) => (
            status,
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type>{error}<Detail/></Error>\
                 <RequestId>{request_id}</RequestId></ErrorResponse>"
            ),
        ),
    };
    let mut response = Response::new(Body::from(format!("<?xml version=\"1.0\"?>{document}")));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(id) = HeaderValue::try_from(request_id.to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    change(&mut response, integration);
    Ok(response)
}

/// The elements that say which message it has become, or what is wrong.
fn deliver(
    integration: &SendMessage,
    account: &Account,
    sqs: &Sqs,
    body: &str,
) -> Result<String, (StatusCode, String)> {
    let principal = Principal::role(account, &integration.role_name, SESSION, &integration.statements);
    principal
        .may("sqs:SendMessage", &integration.queue_arn)
        .map_err(|denied| {
            let message = denied.with_lower_case_action().to_string();
            (StatusCode::FORBIDDEN, error("AccessDenied", &message))
        })?;
    let refused = |refusal: SqsError| {
        let code = refusal.code();
        (code.status(), error(code.query_code(), refusal.message()))
    };
    let queue = sqs.queue_by_arn(&integration.queue_arn).ok_or_else(|| {
        let message = "The specified queue does not exist.";
        refused(SqsError::new(ErrorCode::QueueDoesNotExist, message))
    })?;
    let sent = queue.send(NewMessage::new(body)).map_err(refused)?;
    Ok(format!(
        "<MessageId>{}</MessageId><MD5OfMessageBody>{}</MD5OfMessageBody>",
        sent.message_id, sent.md5_of_body
    ))
}

fn error(code: &str, message: &str) -> String {
    format!("<Code>{code}</Code><Message>{}</Message>", escape(message))
}

/// Changes a response as the integration wants responses of its status
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>).
fn change(response: &mut Response<Body>, integration: &SendMessage) {
    let changes = integration.response_parameters.get(&response.status().as_u16());
    for parameter in changes.into_iter().flatten() {
        match parameter {
            ResponseParameter::OverwriteStatus(status) => {
                *response.status_mut() = StatusCode::from_u16(*status).unwrap_or_default();
            }
            ResponseParameter::AppendHeader(name, value) => {
                if let Some((name, value)) = header(name, value) {
                    response.headers_mut().append(name, value);
                }
            }
            ResponseParameter::OverwriteHeader(name, value) => {
                if let Some((name, value)) = header(name, value) {
                    response.headers_mut().insert(name, value);
                }
            }
            ResponseParameter::RemoveHeader(name) => {
                response.headers_mut().remove(name);
            }
        }
    }
}

/// Nothing, where they are none; the template reader has looked at the name.
fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.parse().ok()?, value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        sqs::QueueAttributes,
        template::{Effect, Statement},
    };

    /// What comes of a body, where the role has this effect.
    async fn sent(effect: Effect, body: &'static str) -> Result<(u16, String), Refusal> {
        let sqs = Sqs::new("us-east-1", "123456789012", "http://127.0.0.1:9000");
        let queue = sqs.create_queue("tasks", QueueAttributes::default()).unwrap();
        let integration = SendMessage {
            queue_arn: queue.arn().to_owned(),
            role_name: "role".to_owned(),
            statements: vec![Statement {
                effect,
                actions: vec!["sqs:SendMessage".to_owned()],
                not_actions: Vec::new(),
                resources: vec!["*".to_owned()],
                not_resources: Vec::new(),
            }],
            response_parameters: BTreeMap::from([(200, vec![ResponseParameter::OverwriteStatus(202)])]),
        };
        let account = Account {
            id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
        };
        let response = send(&integration, &account, &sqs, &Bytes::from(body))?;
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        Ok((status, String::from_utf8(body.into()).unwrap()))
    }

    #[tokio::test]
    async fn a_response_is_changed_by_its_status() {
        let (status, body) = sent(Effect::Allow, "{}").await.unwrap();
        assert_eq!(status, 202);
        let start = "<?xml version=\"1.0\"?><SendMessageResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\">\
                     <SendMessageResult><MessageId>";
        assert!(body.starts_with(start), "{body}");
        // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
        let digest =
            "<MD5OfMessageBody>99914b932bd37a50b983c5e7c90ae93b</MD5OfMessageBody></SendMessageResult>";
        assert!(body.contains(digest), "{body}");
    }

    #[tokio::test]
    async fn a_refusal_of_sqs_is_passed_on() {
        let (status, body) = sent(Effect::Deny, "{}").await.unwrap();
        assert_eq!(status, 403);
        assert!(
            body.contains("<Code>AccessDenied</Code><Message>User: arn:aws:sts::"),
            "{body}"
        );
        let (status, body) = sent(Effect::Allow, "\u{1}").await.unwrap();
        assert_eq!(status, 400);
        assert!(body.contains("<Code>InvalidMessageContents</Code>"), "{body}");
    }

    #[tokio::test]
    async fn without_a_body_there_is_nothing_to_send() {
        let refusal = sent(Effect::Allow, "").await.unwrap_err();
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
    }
}
