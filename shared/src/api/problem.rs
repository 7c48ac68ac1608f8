//! Refusals, as problem details (RFC 9457).

use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::{logging::chain, store::StoreError, task::InvalidParameter};

/// Why a request was not carried out.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    detail: String,
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

    pub(super) fn unavailable(cause: impl std::error::Error) -> Self {
        Self {
            retry_after: Some(5),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, chain(&cause))
        }
    }

    /// Whether the fault lies with the service, not with the client.
    pub(super) fn is_ours(&self) -> bool {
        self.status.is_server_error()
    }

    pub(super) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// What the client gets to see. The causes of our own faults stay in the log.
    pub(super) fn details(&self) -> Details<'_> {
        Details {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status(),
            detail: if self.is_ours() {
                "the task was not accepted; try again"
            } else {
                &self.detail
            },
            field: self.field.as_deref(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error)
    }
}
