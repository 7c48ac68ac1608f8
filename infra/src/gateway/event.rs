//! A request as an event, in payload format 2.0
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>). What that
//! page leaves open is as in recorded events: <https://github.com/hotsock/voker/tree/main/vokerhttp/testdata>,
//! <https://github.com/aws/aws-lambda-dotnet> (`Tools/LambdaTestTool-v2`).

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, header};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    Api,
    call::{Call, text_values},
    path::decoded_parameter,
    routes::Match,
};
use crate::iam::Caller;

/// Media types whose bodies are passed on as text, beside those that begin with `text/`; all others, and bodies
/// without one, come as base64. AWS does not list them; <https://github.com/ministackorg/ministack/pull/766> found them
/// out.
const TEXT_TYPES: [&str; 3] = ["application/json", "application/javascript", "application/xml"];

/// Headers that belong to the connection and not to the request
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1>).
pub(crate) const OF_THE_CONNECTION: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Where the event comes from.
pub(super) struct Source<'a> {
    pub(super) api: &'a Api,
    pub(super) call: &'a Call,
    /// Who signed the request, where the route asks for that.
    pub(super) caller: Option<Caller<'a>>,
    pub(super) route: &'a Match<'a>,
    /// The first field of the trace header: the trace that the invocation belongs to.
    pub(super) trace: &'a str,
}

/// The event of a request with this body.
pub(super) fn build(source: &Source<'_>, body: &[u8]) -> Value {
    let request = &source.call.request;
    let query = request.uri.query().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": source.route.key,
        "rawPath": source.route.path,
        "rawQueryString": query,
        "headers": headers(source, body.len()),
        "requestContext": request_context(source),
        "isBase64Encoded": false,
    });
    let cookies: Vec<_> = text_values(&request.headers, header::COOKIE)
        .flat_map(|value| value.split("; "))
        .collect();
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = json!(query_parameters(query));
    }
    if !source.route.path_parameters.is_empty() {
        event["pathParameters"] = json!(source.route.path_parameters);
    }
    if !body.is_empty() {
        match std::str::from_utf8(body) {
            Ok(text) if is_text(&request.headers) => event["body"] = json!(text),
            _ => {
                event["body"] = json!(STANDARD.encode(body));
                event["isBase64Encoded"] = json!(true);
            }
        }
    }
    event
}

fn request_context(source: &Source<'_>) -> Value {
    let call = source.call;
    let mut context = json!({
        "accountId": source.api.account.id,
        "apiId": source.api.id,
        "domainName": call.domain_name(),
        "domainPrefix": call.domain_prefix(),
        "http": {
            "method": call.request.method.as_str(),
            "path": source.route.path,
            "protocol": format!("{:?}", call.request.version),
            "sourceIp": call.client.ip(),
            "userAgent": call.user_agent(),
        },
        "requestId": call.request_id,
        "routeKey": source.route.key,
        "stage": "$default",
        "time": call.time(),
        "timeEpoch": call.received.as_millisecond(),
    });
    if let Some(caller) = source.caller {
        context["authorizer"] = json!({"iam": identity(source, caller)});
    }
    context
}

/// As in the event of a function URL, which has the same form
/// (<https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>). Of the two ids it says no more than
/// that they are the caller's.
fn identity(source: &Source<'_>, caller: Caller<'_>) -> Value {
    json!({
        "accessKey": caller.access_key_id,
        "accountId": source.api.account.id,
        "callerId": caller.principal.id,
        "cognitoIdentity": null,
        "principalOrgId": null,
        "userArn": caller.principal.arn,
        "userId": caller.principal.id,
    })
}

/// Names in lower case, repeated headers joined by commas; cookies travel in a field of their own.
fn headers(source: &Source<'_>, content_length: usize) -> BTreeMap<String, String> {
    let call = source.call;
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &call.request.headers {
        if name == header::COOKIE || OF_THE_CONNECTION.contains(name) {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|joined| *joined = format!("{joined},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    // What the client says of where it comes from is passed on, with the truth behind it.
    let client = call.client.ip().to_string();
    headers
        .entry("x-forwarded-for".to_owned())
        .and_modify(|before| *before = format!("{before}, {client}"))
        .or_insert(client);
    headers.insert("content-length".to_owned(), content_length.to_string());
    headers.insert("x-amzn-trace-id".to_owned(), source.trace.to_owned());
    headers.insert("x-forwarded-port".to_owned(), source.api.port.to_string());
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    headers
}

/// Names and values decoded, repeated ones joined by commas.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded_parameter(value);
        parameters
            .entry(decoded_parameter(name))
            .and_modify(|joined| *joined = format!("{joined},{value}"))
            .or_insert(value);
    }
    parameters
}

fn is_text(headers: &HeaderMap) -> bool {
    let content_type = text_values(headers, header::CONTENT_TYPE)
        .next()
        .unwrap_or_default();
    let media_type = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    media_type.starts_with("text/") || TEXT_TYPES.contains(&media_type.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_parameters_are_decoded_and_joined() {
        let parameters = query_parameters("a=1&b=x%20y+z&a=2&c&%zz=1");
        let expected = [("a", "1,2"), ("b", "x y z"), ("c", ""), ("%zz", "1")];
        assert_eq!(
            parameters,
            expected
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        );
    }

    #[test]
    fn only_what_is_known_to_be_text_is_text() {
        for (content_type, expected) in [
            ("text/css", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/problem+json", false),
            ("application/x-www-form-urlencoded", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
            assert_eq!(is_text(&headers), expected, "{content_type}");
        }
        assert!(!is_text(&HeaderMap::new()));
    }
}
