//! How the API says no: the shape of its errors, as the service's model has it
//! (<https://github.com/aws/api-models-aws/tree/main/models/lambda>).

use std::fmt::Display;

use axum::http::{HeaderValue, Response, StatusCode, header::RETRY_AFTER};
use bytes::Bytes;
use serde_json::json;

use super::json_response;
use crate::lambda::function::Rejection;

/// The errors whose model has `message`; the others have `Message`.
const LOWER_CASE: [&str; 4] = [
    "InvalidParameterValueException",
    "InvalidRequestContentException",
    "RequestTooLargeException",
    "TooManyRequestsException",
];

/// A request was refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(super) status: StatusCode,
    error_type: &'static str,
    message: String,
    /// Why a request was throttled.
    reason: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, error_type: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            error_type,
            message: message.into(),
            reason: None,
        }
    }

    pub(super) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
    }

    /// The caller makes too many requests. The answer was recorded in
    /// <https://github.com/fyoorer/ShadowClone/issues/46>.
    pub(super) fn caller_rate_exceeded() -> Self {
        Self {
            reason: Some("CallerRateLimitExceeded"),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "TooManyRequestsException",
                "Rate exceeded",
            )
        }
    }

    /// A value that the service's model does not allow, in the words that are common to its services.
    pub(super) fn invalid_value(value: impl Display, member: &str, constraint: &str) -> Self {
        let message = format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        );
        Self::new(StatusCode::BAD_REQUEST, "ValidationException", message)
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let kind = if self.status.is_server_error() {
            "Service"
        } else {
            "User"
        };
        let key = if LOWER_CASE.contains(&self.error_type) {
            "message"
        } else {
            "Message"
        };
        let mut body = json!({"Type": kind, key: self.message});
        if let Some(reason) = self.reason {
            body["Reason"] = json!(reason);
        }
        let mut response = json_response(self.status, &body);
        let headers = response.headers_mut();
        headers.insert("x-amzn-errortype", HeaderValue::from_static(self.error_type));
        if self.reason.is_some() {
            // The model has the header; which values AWS sends is not known.
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        let message = rejection.to_string();
        match rejection {
            Rejection::Throttled { is_reserved } => Self {
                reason: Some(if is_reserved {
                    "ReservedFunctionConcurrentInvocationLimitExceeded"
                } else {
                    "ConcurrentInvocationLimitExceeded"
                }),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException", message)
            },
            Rejection::Recursive => {
                Self::new(StatusCode::BAD_REQUEST, "RecursiveInvocationException", message)
            }
        }
    }
}
