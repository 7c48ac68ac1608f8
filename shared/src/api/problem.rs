//! Refusals, as problem details (RFC 9457).

use std::error::Error;

use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::{logging::chain, store::StoreError, task::InvalidParameter};

/// Why a request was not carried out.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
    /// What brought about a fault of ours; it is logged, and the client does not see it.
    pub(super) cause: Option<String>,
    field: Option<String>,
    /// The methods that are allowed, where another was used.
    pub(super) allow: Option<&'static str>,
    /// After how many seconds the client should try again, if that can help.
    pub(super) retry_after: Option<u64>,
}

/// The body of the response. The type is `about:blank`: the status code says what kind of problem it is.
#[derive(Serialize)]
pub(super) struct Details<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            cause: None,
            field: None,
            allow: None,
            retry_after: None,
        }
    }

    pub(super) fn invalid(parameter: &InvalidParameter) -> Self {
        let field = Some(parameter.field.clone());
        Self {
            field,
            ..Self::new(StatusCode::BAD_REQUEST, parameter.to_string())
        }
    }

    pub(super) fn not_found(detail: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn no_such_task(id: &str) -> Self {
        Self::not_found(format!("there is no task {id}"))
    }

    pub(super) fn method_not_allowed(allow: &'static str) -> Self {
        let detail = format!("this resource allows: {allow}");
        Self {
            allow: Some(allow),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail)
        }
    }

    pub(super) fn body_too_large(size: usize, largest: usize) -> Self {
        let detail = format!("the body has {size} bytes; at most {largest} are allowed");
        Self {
            field: Some("body".into()),
            ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
        }
    }

    pub(super) fn unsupported_media_type(found: &str) -> Self {
        let detail = format!("Content-Type must be application/json, not {found:?}");
        Self {
            field: Some("Content-Type".into()),
            ..Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
        }
    }

    pub(super) fn key_of_another_request() -> Self {
        let detail = "this Idempotency-Key was used with another request";
        let field = Some("Idempotency-Key".into());
        Self {
            field,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }

    pub(super) fn first_request_in_progress() -> Self {
        let detail = "the first request with this Idempotency-Key is still in progress";
        let field = Some("Idempotency-Key".into());
        Self {
            field,
            retry_after: Some(1),
            ..Self::new(StatusCode::CONFLICT, detail)
        }
    }

    pub(super) fn not_accepted(cause: impl Error) -> Self {
        Self::unavailable("the task was not accepted; try again", &cause)
    }

    /// Its record was written, and it was begun within the request.
    pub(super) fn end_not_known(cause: impl Error) -> Self {
        let detail =
            "it is not known how the task ended; with an Idempotency-Key the request can be sent again";
        Self::unavailable(detail, &cause)
    }

    fn unavailable(detail: &str, cause: &dyn Error) -> Self {
        Self {
            cause: Some(chain(cause)),
            retry_after: Some(5),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
        }
    }

    pub(super) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// What the client gets to see.
    pub(super) fn details(&self) -> Details<'_> {
        Details {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status(),
            detail: &self.detail,
            field: self.field.as_deref(),
        }
    }
}

/// A task that was accepted before is asked for, or cancelled.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::unavailable("the task's record cannot be reached; try again", &error)
    }
}
