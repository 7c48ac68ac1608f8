//! What a function answers, as an HTTP response
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response>).
//! Where that page and AWS differ, this is as AWS's own tool for testing functions found it: see
//! `InvokeResponseExtensions.cs` and the recorded answers in <https://github.com/aws/aws-lambda-dotnet>,
//! `Tools/LambdaTestTool-v2`.

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value;

use super::event::OF_THE_CONNECTION;

/// The response that a payload stands for; nothing, where it is malformed.
pub(super) fn from_payload(payload: Bytes) -> Option<Response<Body>> {
    let value: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let Some(status) = value.get("statusCode") else {
        return Some(inferred(payload, value));
    };
    let mut response = Response::new(Body::from(body_of(&value)?));
    *response.status_mut() = status_of(status)?;
    *response.headers_mut() = headers_of(&value)?;
    response
        .headers_mut()
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
    Some(response)
}

/// What has no status code is the body itself: a text, or anything else as it is, even where it is no JSON.
fn inferred(payload: Bytes, value: Value) -> Response<Body> {
    let body = match value {
        Value::String(text) => text.into(),
        _ => payload,
    };
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn status_of(status: &Value) -> Option<StatusCode> {
    let number = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    // Informational ones are not a final answer.
    let number = u16::try_from(number)
        .ok()
        .filter(|number| (200..600).contains(number))?;
    StatusCode::from_u16(number).ok()
}

fn body_of(value: &Value) -> Option<Vec<u8>> {
    let body = match value.get("body") {
        None | Some(Value::Null) => return Some(Vec::new()),
        Some(body) => body.as_str()?,
    };
    if value.get("isBase64Encoded").and_then(Value::as_bool) == Some(true) {
        return STANDARD.decode(body).ok();
    }
    Some(body.as_bytes().to_vec())
}

fn headers_of(value: &Value) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(declared) = value.get("headers").and_then(Value::as_object) {
        for (name, value) in declared {
            let name = HeaderName::try_from(name).ok()?;
            let value = HeaderValue::try_from(text_of(value)?).ok()?;
            // How the body is transferred is between the gateway and the client.
            if name != CONTENT_LENGTH && !OF_THE_CONNECTION.contains(&name) {
                headers.insert(name, value);
            }
        }
    }
    for cookie in value
        .get("cookies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        headers.append(SET_COOKIE, HeaderValue::try_from(cookie.as_str()?).ok()?);
    }
    Some(headers)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(payload: &str) -> Option<(u16, String)> {
        from_payload(Bytes::copy_from_slice(payload.as_bytes())).map(|response| {
            let content_type = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
            (response.status().as_u16(), content_type)
        })
    }

    #[test]
    fn a_proxy_response_keeps_its_status_and_headers() {
        let payload =
            r#"{"statusCode": 202, "headers": {"content-type": "a/b", "retry-after": 1}, "body": "x"}"#;
        assert_eq!(parts(payload), Some((202, "a/b".to_owned())));
    }

    #[test]
    fn what_has_no_status_code_is_the_body() {
        for payload in [r#"{"hello": 1}"#, r#""hello""#, "<html>", "null", ""] {
            assert_eq!(
                parts(payload),
                Some((200, "application/json".to_owned())),
                "{payload}"
            );
        }
    }

    #[test]
    fn a_malformed_response_is_refused() {
        for payload in [
            r#"{"statusCode": "abc"}"#,
            r#"{"statusCode": 200.5}"#,
            r#"{"statusCode": 100}"#,
            r#"{"statusCode": 200, "body": {}}"#,
            r#"{"statusCode": 200, "headers": {"a": []}}"#,
        ] {
            assert_eq!(parts(payload), None, "{payload}");
        }
    }

    #[test]
    fn the_gateway_alone_says_how_the_body_is_transferred() {
        let payload =
            r#"{"statusCode": 200, "headers": {"Content-Length": "9", "connection": "x", "a": "b"}}"#;
        let response = from_payload(payload.into()).unwrap();
        assert_eq!(response.headers()["a"], "b");
        assert!(
            !response.headers().contains_key(CONTENT_LENGTH)
                && !response.headers().contains_key("connection")
        );
    }

    #[test]
    fn cookies_become_headers_of_their_own() {
        let payload = r#"{"statusCode": 200, "cookies": ["a=1", "b=2"]}"#;
        let response = from_payload(payload.into()).unwrap();
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
    }
}
