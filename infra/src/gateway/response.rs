//! What a function answers, as an HTTP response
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html#http-api-develop-integrations-lambda.response>).

use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
        header::{CONTENT_TYPE, SET_COOKIE},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// The response that a payload stands for; nothing, where it is malformed.
pub(super) fn from_payload(payload: &[u8]) -> Option<Response<Body>> {
    let value: Value = serde_json::from_slice(payload).ok()?;
    let Some(status) = value.get("statusCode") else {
        return Some(inferred(payload));
    };
    let mut response = Response::new(Body::from(body_of(&value)?));
    *response.status_mut() = status_of(status)?;
    *response.headers_mut() = headers_of(&value)?;
    response
        .headers_mut()
        .entry(CONTENT_TYPE)
        .or_insert(HeaderValue::from_static("text/plain;charset=utf-8"));
    Some(response)
}

/// Valid JSON without a status code is the body itself.
fn inferred(payload: &[u8]) -> Response<Body> {
    let mut response = Response::new(Body::from(payload.to_vec()));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn status_of(status: &Value) -> Option<StatusCode> {
    let number = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    StatusCode::from_u16(u16::try_from(number).ok()?).ok()
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
            headers.insert(
                HeaderName::try_from(name).ok()?,
                HeaderValue::try_from(text_of(value)?).ok()?,
            );
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
        from_payload(payload.as_bytes()).map(|response| {
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
    fn json_without_a_status_code_is_the_body() {
        assert_eq!(
            parts(r#"{"hello": 1}"#),
            Some((200, "application/json".to_owned()))
        );
        assert_eq!(parts(r#""hello""#), Some((200, "application/json".to_owned())));
    }

    #[test]
    fn a_malformed_response_is_refused() {
        for payload in [
            "",
            "<html>",
            r#"{"statusCode": "abc"}"#,
            r#"{"statusCode": 200, "body": {}}"#,
        ] {
            assert_eq!(parts(payload), None, "{payload}");
        }
    }

    #[test]
    fn cookies_become_headers_of_their_own() {
        let payload = br#"{"statusCode": 200, "cookies": ["a=1", "b=2"]}"#;
        let response = from_payload(payload).unwrap();
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
    }
}
