//! One request to the API, and what is known of it from the start.

use std::{net::SocketAddr, time::Instant};

use axum::http::{HeaderMap, HeaderName, header, request::Parts};
use base64::{Engine as _, engine::general_purpose::URL_SAFE};

/// A request without its body.
#[derive(Debug)]
pub(super) struct Call {
    /// What the client finds in `apigw-requestid`.
    pub(super) request_id: String,
    pub(super) client: SocketAddr,
    pub(super) request: Parts,
    pub(super) received: jiff::Timestamp,
    pub(super) begun: Instant,
}

impl Call {
    pub(super) fn new(client: SocketAddr, request: Parts) -> Self {
        Self {
            request_id: new_request_id(),
            client,
            request,
            received: jiff::Timestamp::now(),
            begun: Instant::now(),
        }
    }

    /// The host that the client names, without the port.
    pub(super) fn domain_name(&self) -> &str {
        self.first(header::HOST).split(':').next().unwrap_or_default()
    }

    pub(super) fn domain_prefix(&self) -> &str {
        self.domain_name().split('.').next().unwrap_or_default()
    }

    pub(super) fn user_agent(&self) -> &str {
        self.first(header::USER_AGENT)
    }

    /// When it came, as in `10/Jul/2026:19:19:05 +0000`.
    pub(super) fn time(&self) -> String {
        self.received.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string()
    }

    fn first(&self, name: HeaderName) -> &str {
        text_values(&self.request.headers, name)
            .next()
            .unwrap_or_default()
    }
}

/// The values of a header that are text.
pub(super) fn text_values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
}

/// In recordings of AWS's answers a request id is 16 characters of base64, the last of them `=`, as in
/// `JCInYgIKPHcEJbQ=` (<https://github.com/aws/aws-lambda-dotnet>, `Tools/LambdaTestTool-v2`).
fn new_request_id() -> String {
    URL_SAFE.encode(&uuid::Uuid::new_v4().as_bytes()[..11])
}
