//! A request as an event, in payload format 2.0
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).

use std::{collections::BTreeMap, net::SocketAddr};

use axum::http::{HeaderMap, header, request::Parts};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Api, routes::Match};

/// Media types whose bodies are passed on as text; others come as base64.
const TEXT_TYPES: [&str; 3] = ["application/json", "application/javascript", "application/xml"];

/// Where the event comes from.
pub(super) struct Source<'a> {
    pub(super) api: &'a Api,
    pub(super) client: SocketAddr,
    pub(super) request: &'a Parts,
    pub(super) route: &'a Match<'a>,
}

/// The event of a request with this body.
pub(super) fn build(source: &Source<'_>, body: &[u8]) -> Value {
    let request = source.request;
    let query = request.uri.query().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": source.route.key,
        "rawPath": request.uri.path(),
        "rawQueryString": query,
        "headers": headers(source),
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
    let request = source.request;
    let host = text_values(&request.headers, header::HOST)
        .next()
        .unwrap_or_default();
    let domain = host.split(':').next().unwrap_or_default();
    let user_agent = text_values(&request.headers, header::USER_AGENT)
        .next()
        .unwrap_or_default();
    let now = jiff::Timestamp::now();
    json!({
        "accountId": source.api.account_id,
        "apiId": source.api.id,
        "domainName": domain,
        "domainPrefix": domain.split('.').next().unwrap_or_default(),
        "http": {
            "method": request.method.as_str(),
            "path": request.uri.path(),
            "protocol": format!("{:?}", request.version),
            "sourceIp": source.client.ip(),
            "userAgent": user_agent,
        },
        "requestId": uuid::Uuid::new_v4().to_string(),
        "routeKey": source.route.key,
        "stage": "$default",
        "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": now.as_millisecond(),
    })
}

/// Names in lower case, repeated headers joined by commas; cookies travel in a field of their own.
fn headers(source: &Source<'_>) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &source.request.headers {
        if name == header::COOKIE {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|joined| *joined = format!("{joined},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    headers.insert("x-forwarded-for".to_owned(), source.client.ip().to_string());
    headers.insert("x-forwarded-port".to_owned(), "80".to_owned());
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    headers
}

/// Names and values decoded, repeated ones joined by commas.
fn query_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value);
        parameters
            .entry(decoded(name))
            .and_modify(|joined| *joined = format!("{joined},{value}"))
            .or_insert(value);
    }
    parameters
}

/// Undoes the encoding of query strings.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let escaped = (bytes[index] == b'%')
            .then(|| text.get(index + 1..index + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                out.push(byte);
                index += 3;
            }
            None => {
                out.push(if bytes[index] == b'+' { b' ' } else { bytes[index] });
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn is_text(headers: &HeaderMap) -> bool {
    let content_type = text_values(headers, header::CONTENT_TYPE)
        .next()
        .unwrap_or("text/plain");
    let media_type = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    media_type.starts_with("text/") || TEXT_TYPES.contains(&media_type.as_str())
}

fn text_values(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
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
}
