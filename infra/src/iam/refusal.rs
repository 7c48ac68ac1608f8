//! The answers to requests that are refused, as each service words them. What is known of them, and from where:
//!
//! - Lambda, access denied; SQS, access denied: recorded from AWS in github.com/floci-io/floci, design document on
//!   resource policy enforcement. SQS writes the action in lower case.
//! - DynamoDB, all of them: recorded from AWS in the comments of github.com/mhart/dynalite; the spelling `Message` of
//!   a denied access, which differs from the others', in several public recordings.
//! - Lambda, the other ones: type and status in github.com/iann0036/iamlive/issues/58 (unknown key) and
//!   github.com/serverless/serverless/issues/27 (signature). An unsigned request: taken from API Gateway, which
//!   answers like Lambda; not found for Lambda itself.
//! - SQS, the other ones: code and status are recorded of its older protocol, in github.com/ex-aws/ex_aws/issues/220
//!   (unknown key) and github.com/aristidb/aws/issues/126 (signature); the `__type` of the JSON protocol was not
//!   found and is the one that other services use. An unsigned request is one of an anonymous principal, whom no
//!   queue policy admits here.
//! - CloudFormation: the form is that of its other errors, code and status are those that
//!   <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html> lists.
//! - CloudWatch Logs: as DynamoDB, with types as its model has them, without a name space
//!   (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html>).

use axum::{
    body::Body,
    http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE},
};
use serde_json::{Value, json};

use super::{Denied, Service};
use crate::cloudformation;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not signed. The URL is the one that was called.
    #[error("Request is missing Authentication Token")]
    Unsigned {
        /// The URL that was called.
        url: String,
    },
    /// Its signature is not complete or not well-formed.
    #[error("{0}")]
    IncompleteSignature(String),
    /// It is not made with this key for this service at this time.
    #[error("{0}")]
    InvalidSignature(String),
    /// The access key, or its session token, is not known.
    #[error("The security token included in the request is invalid.")]
    UnknownKey,
    /// Its principal may not do what it asks for.
    #[error(transparent)]
    Denied(#[from] Denied),
}

impl Refusal {
    /// The answer of that service.
    pub fn response(&self, service: Service) -> Response<Body> {
        match service {
            Service::CloudFormation => self.of_cloudformation(),
            Service::DynamoDb => self.of_dynamodb(),
            Service::Lambda => self.of_lambda(),
            Service::Logs => self.of_logs(),
            Service::Sqs => self.of_sqs(),
        }
    }

    fn of_cloudformation(&self) -> Response<Body> {
        let (status, code) = match self {
            Self::Unsigned { .. } => (StatusCode::FORBIDDEN, "MissingAuthenticationToken"),
            Self::IncompleteSignature(_) => (StatusCode::BAD_REQUEST, "IncompleteSignature"),
            Self::InvalidSignature(_) => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
            Self::UnknownKey => (StatusCode::FORBIDDEN, "InvalidClientTokenId"),
            Self::Denied(_) => (StatusCode::FORBIDDEN, "AccessDenied"),
        };
        cloudformation::error_response(status, code, &self.to_string()).map(Body::from)
    }

    fn of_logs(&self) -> Response<Body> {
        let body = json!({ "__type": self.type_name(), self.message_key(): self.to_string() });
        response(StatusCode::BAD_REQUEST, "application/x-amz-json-1.1", &body)
    }

    fn of_dynamodb(&self) -> Response<Body> {
        let body = self.coral_error(self.type_name(), &self.to_string());
        response(StatusCode::BAD_REQUEST, "application/x-amz-json-1.0", &body)
    }

    fn of_lambda(&self) -> Response<Body> {
        let message = match self {
            Self::Unsigned { .. } => "Missing Authentication Token".to_owned(),
            other => other.to_string(),
        };
        let body = json!({ self.message_key(): message });
        let mut response = response(StatusCode::FORBIDDEN, "application/json", &body);
        let error_type = HeaderValue::from_static(self.type_name());
        response.headers_mut().insert("x-amzn-errortype", error_type);
        response
    }

    fn of_sqs(&self) -> Response<Body> {
        let denied = "AccessDeniedException";
        let (status, type_name, query_error, message) = match self {
            Self::Unsigned { url } => {
                let message = format!("Access to the resource {url} is denied.");
                (StatusCode::FORBIDDEN, denied, "AccessDenied;Sender", message)
            }
            Self::IncompleteSignature(message) => {
                let query_error = "IncompleteSignature;Sender";
                (
                    StatusCode::BAD_REQUEST,
                    self.type_name(),
                    query_error,
                    message.clone(),
                )
            }
            Self::InvalidSignature(message) => {
                let query_error = "SignatureDoesNotMatch;Sender";
                (
                    StatusCode::FORBIDDEN,
                    self.type_name(),
                    query_error,
                    message.clone(),
                )
            }
            Self::UnknownKey => {
                let query_error = "InvalidClientTokenId;Sender";
                (
                    StatusCode::FORBIDDEN,
                    self.type_name(),
                    query_error,
                    self.to_string(),
                )
            }
            Self::Denied(reason) => {
                let message = reason.with_lower_case_action().to_string();
                (StatusCode::FORBIDDEN, denied, "AccessDenied;Sender", message)
            }
        };
        let body = self.coral_error(type_name, &message);
        let mut response = response(status, "application/x-amz-json-1.0", &body);
        let query_error = HeaderValue::from_static(query_error);
        response.headers_mut().insert("x-amzn-query-error", query_error);
        response
    }

    fn coral_error(&self, type_name: &str, message: &str) -> Value {
        let type_name = format!("com.amazon.coral.service#{type_name}");
        json!({ "__type": type_name, self.message_key(): message })
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::Unsigned { .. } => "MissingAuthenticationTokenException",
            Self::IncompleteSignature(_) => "IncompleteSignatureException",
            Self::InvalidSignature(_) => "InvalidSignatureException",
            Self::UnknownKey => "UnrecognizedClientException",
            Self::Denied(_) => "AccessDeniedException",
        }
    }

    fn message_key(&self) -> &'static str {
        match self {
            Self::Denied(_) => "Message",
            _ => "message",
        }
    }
}

fn response(status: StatusCode, content_type: &'static str, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::try_from(uuid::Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
