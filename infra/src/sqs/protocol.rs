//! The AWS JSON protocol 1.0: requests come in and answers go out as HTTP has them. What an operation does is
//! in `operations`. <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>, and for SQS
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html>.

use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use uuid::Uuid;

use super::{
    Sqs,
    error::{ErrorCode, SqsError},
    operations,
};

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

impl Sqs {
    /// Answers one request of the JSON protocol. `operation` is what follows `AmazonSQS.` in the header
    /// `X-Amz-Target`. Never fails: what is wrong with a request is in the answer.
    pub async fn handle(&self, operation: &str, body: &[u8]) -> Response<Bytes> {
        self.handle_in_trace(operation, None, body).await
    }

    /// The same for a request with the HTTP header `X-Amzn-Trace-Id`: messages are sent with it as their trace
    /// header, unless they have one of their own
    /// (<https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html>).
    pub async fn handle_in_trace(
        &self,
        operation: &str,
        trace_header: Option<&str>,
        body: &[u8],
    ) -> Response<Bytes> {
        match operations::run(self, operation, trace_header, body).await {
            Ok(answer) => response(StatusCode::OK, answer),
            Err(error) => error_response(&error),
        }
    }
}

/// The answer to a request that is throttled. Text and status were recorded of the older protocol, in
/// <https://github.com/Particular/docs.particular.net/pull/3438> and <https://github.com/async-aws/aws/issues/1227>.
pub fn throttled() -> Response<Bytes> {
    error_response(&SqsError::new(
        ErrorCode::RequestThrottled,
        "Request is throttled.",
    ))
}

/// Reads the request of an operation.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    serde_json::from_slice(body).map_err(|error| {
        let message = format!("The request could not be read as JSON of the operation's shape: {error}");
        SqsError::new(ErrorCode::MalformedInput, message)
    })
}

/// Writes the answer of an operation.
#[expect(
    clippy::expect_used,
    reason = "answers are structs of strings, numbers and maps with string keys"
)]
pub(super) fn write(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).expect("such values can always be written as JSON")
}

fn error_response(error: &SqsError) -> Response<Bytes> {
    let code = error.code();
    let body = write(&json!({ "__type": code.type_name(), "message": error.message() }));
    let mut response = response(code.status(), body);
    // Codes are made of letters and periods, so the header can always be written.
    if let Ok(query_error) = HeaderValue::try_from(format!("{};Sender", code.query_code())) {
        response.headers_mut().insert(QUERY_ERROR, query_error);
    }
    response
}

fn response(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    if let Ok(id) = HeaderValue::try_from(Uuid::new_v4().to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
