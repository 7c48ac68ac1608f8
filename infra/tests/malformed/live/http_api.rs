//! The HTTP API: requests that become events, and responses of functions that become answers.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{Answer, base64, each_case, exchange, header_value, request};

const EVENTS: &str = "Timeout: 10\nEvents: {Any: {Type: HttpApi}, One: {Type: HttpApi, Properties: \
    {Path: \"/tasks/{id}\", Method: GET}}, Rest: {Type: HttpApi, Properties: {Path: \"/files/{rest+}\", Method: ANY}}}";

/// Pieces of a request's target.
const PIECES: &[&str] = &[
    "/", "//", "tasks", "files", ".", "..", "?", "&", "=", "+", "%", "%2", "%25", "%2F", "%3F", "%00", "%ff",
    "%zz", "a", "{id}", "$default", ";", "@", ":", "*", "ä", "\u{fffe}",
];

const HEADERS: &[&str] = &[
    "accept",
    "access-control-request-method",
    "authorization",
    "content-type",
    "cookie",
    "host",
    "keep-alive",
    "origin",
    "te",
    "user-agent",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-other",
];

/// Names and values that mean something in a response.
const NAMES: &[&str] = &[
    "content-type",
    "Content-Length",
    "connection",
    "transfer-encoding",
    "set-cookie",
    "access-control-allow-origin",
    "x-other",
    "",
    "a b",
    "ä",
];

#[derive(Clone, Debug)]
struct Request {
    method: &'static str,
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

fn any_request() -> impl Strategy<Value = Request> {
    let method = select(
        &[
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "x!",
        ][..],
    );
    let target = vec(select(PIECES), 0..8).prop_map(|pieces| format!("/{}", pieces.concat()).into_bytes());
    let content_type = select(
        &[
            "text/plain",
            "application/json",
            "image/png",
            "a/b; charset=\"",
            "",
        ][..],
    );
    let content_type = content_type.prop_map(|value| ("content-type".to_owned(), value.as_bytes().to_vec()));
    let header = (select(HEADERS).prop_map(str::to_owned), header_value());
    let headers = vec(prop_oneof![1 => content_type, 6 => header], 0..8);
    let body = vec(any::<u8>(), 0..100);
    (method, target, headers, body).prop_map(|(method, target, headers, body)| Request {
        method,
        target,
        headers,
        body,
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,20}".prop_map(Value::from),
        vec(any::<u8>(), 0..20).prop_map(|bytes| json!(base64(bytes))),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| vec(inner, 0..4).prop_map(Value::from))
}

/// What a function may answer: a response that is right but for one or two of its fields, or any bytes.
fn any_response() -> impl Strategy<Value = Vec<u8>> {
    let status = prop_oneof![
        3 => (0..700_u16).prop_map(Value::from),
        1 => (0..700_u16).prop_map(|status| json!(status.to_string())),
        1 => any_value(),
    ];
    let headers = vec((select(NAMES).prop_map(str::to_owned), any_value()), 0..4)
        .prop_map(|headers| Value::Object(headers.into_iter().collect()));
    let headers = prop_oneof![4 => headers, 1 => any_value()];
    let response = (status, headers, any_value(), any_value(), any_value()).prop_map(
        |(status, headers, cookies, body, is_base64)| {
            let response = json!({"statusCode": status, "headers": headers, "cookies": cookies, "body": body,
                "isBase64Encoded": is_base64});
            response.to_string().into_bytes()
        },
    );
    prop_oneof![
        6 => response,
        1 => any_value().prop_map(|value| value.to_string().into_bytes()),
        1 => vec(any::<u8>(), 0..50),
    ]
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>: the function
/// receives an event, and fails where that is no JSON, or the client is told what is wrong.
#[test]
fn any_request_becomes_an_event_or_is_refused() {
    each_case(&any_request(), EVENTS, &[], async |cloud, case| {
        let bytes = request(case.method, &case.target, &case.headers, &case.body);
        let answer = exchange(cloud.text("api_url"), &bytes, true);
        let status = answer.as_ref().map(|answer| answer.status);
        prop_assert!(matches!(status, Some(200 | 400 | 404 | 431)), "{:?}", answer);
        Ok(())
    });
}

#[test]
fn any_bytes_do_the_http_api_no_harm() {
    each_case(&vec(any::<u8>(), 0..100), EVENTS, &[], async |cloud, case| {
        let url = cloud.text("api_url");
        let status = exchange(url, &case, false).map(|answer| answer.status);
        prop_assert!(matches!(status, None | Some(400)), "{:?}", status);
        let whole = request("GET", b"/", &[], b"");
        prop_assert_eq!(exchange(url, &whole, true).map(|answer| answer.status), Some(200));
        Ok(())
    });
}

/// What makes no sense is the gateway's own error
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html>).
#[test]
fn any_response_of_a_function_becomes_an_answer() {
    each_case(&any_response(), EVENTS, &[], async |cloud, case| {
        let event = json!({"do": [{"respond_raw": base64(case)}]}).to_string();
        let bytes = request("POST", b"/", &[], event.as_bytes());
        let answer = exchange(cloud.text("api_url"), &bytes, true);
        let Some(Answer { status, body }) = answer else {
            return Err(TestCaseError::fail("no answer"));
        };
        prop_assert!((200..600).contains(&status), "{}", status);
        let is_refusal = status == 500 && body.starts_with(b"{\"message\"");
        let is_whole = body == br#"{"message":"Internal Server Error"}"#;
        prop_assert!(is_whole || !is_refusal, "{}", String::from_utf8_lossy(&body));
        Ok(())
    });
}
