//! The access log: a line for each request, on standard error, in the format that the template declares
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html>).

use axum::{
    body::{Body, HttpBody as _},
    http::Response,
};

use super::call::Call;
use crate::say::say;

/// What a variable begins with.
const VARIABLE: &str = "$context.";

/// A format with variables
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html>).
#[derive(Debug)]
pub(super) struct AccessLog {
    api: String,
    format: String,
}

/// What a line can tell.
pub(super) struct Entry<'a> {
    pub(super) call: &'a Call,
    pub(super) api_id: &'a str,
    pub(super) account_id: &'a str,
    /// Nothing, where no route took the request.
    pub(super) route_key: Option<&'a str>,
    /// What the gateway itself had to say.
    pub(super) error: Option<&'a str>,
    pub(super) response: &'a Response<Body>,
}

impl AccessLog {
    /// The log of the API with that logical id.
    pub(super) fn new(api: String, format: String) -> Self {
        Self { api, format }
    }

    pub(super) fn write(&self, entry: &Entry<'_>) {
        say!(
            "[{}] {}",
            self.api,
            render(&self.format, |name| entry.variable(name))
        );
    }
}

impl Entry<'_> {
    /// A variable that has a value here.
    fn variable(&self, name: &str) -> Option<String> {
        let call = self.call;
        Some(match name {
            "accountId" => self.account_id.to_owned(),
            "apiId" => self.api_id.to_owned(),
            "domainName" => call.domain_name().to_owned(),
            "domainPrefix" => call.domain_prefix().to_owned(),
            "error.message" => self.error?.to_owned(),
            "error.messageString" => format!("\"{}\"", self.error?),
            "extendedRequestId" | "requestId" => call.request_id.clone(),
            "httpMethod" => call.request.method.to_string(),
            "identity.sourceIp" => call.client.ip().to_string(),
            "identity.userAgent" => call.user_agent().to_owned(),
            "path" => call.request.uri.path().to_owned(),
            "protocol" => format!("{:?}", call.request.version),
            "requestTime" => call.time(),
            "requestTimeEpoch" => call.received.as_millisecond().to_string(),
            "responseLatency" => call.begun.elapsed().as_millis().to_string(),
            "responseLength" => self.response.body().size_hint().exact()?.to_string(),
            "routeKey" => self.route_key?.to_owned(),
            "stage" => "$default".to_owned(),
            "status" => self.response.status().as_u16().to_string(),
            _ => return None,
        })
    }
}

/// Puts values in the place of variables; a hyphen, where there is none.
fn render(format: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut parts = format.split(VARIABLE);
    let mut line = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_of_name = |one: char| one.is_ascii_alphanumeric() || one == '.' || one == '_';
        let end = part.find(|one| !is_of_name(one)).unwrap_or(part.len());
        let name = part[..end].trim_end_matches('.');
        line.push_str(value(name).as_deref().unwrap_or("-"));
        line.push_str(&part[name.len()..]);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(format: &str) -> String {
        render(format, |name| {
            (name != "error.message").then(|| format!("<{name}>"))
        })
    }

    #[test]
    fn variables_are_replaced_and_the_rest_stays() {
        assert_eq!(
            rendered(r#"{"id":"$context.requestId", "ip":"$context.identity.sourceIp"}"#),
            r#"{"id":"<requestId>", "ip":"<identity.sourceIp>"}"#
        );
        assert_eq!(rendered("$context.status. $context.error.message"), "<status>. -");
        assert_eq!(rendered("$contextual 5$ $context."), "$contextual 5$ <>");
        assert_eq!(rendered(""), "");
    }
}
