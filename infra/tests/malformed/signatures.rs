//! Signed requests, whole and damaged.

use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, Method, Request, Uri, request::Parts};
use infra::iam::{Account, Credentials, Iam, Refusal, Service};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::support::common::signing;

const ADDRESS: &str = "127.0.0.1:9000";

/// Headers that the check looks at, and one that it does not know.
const HEADERS: &[&str] = &[
    "authorization",
    "date",
    "host",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-security-token",
    "x-amz-target",
    "x-other",
];

/// Pieces of an `Authorization` header, in any order.
const PIECES: &[&str] = &[
    "AWS4-HMAC-SHA256 ",
    "AWS4-",
    "Credential=",
    "AKIDEXAMPLE",
    "/20260102",
    "/us-east-1",
    "/sqs",
    "/aws4_request",
    "SignedHeaders=",
    "host",
    ";x-amz-date",
    ";",
    "Signature=",
    "00ff",
    ", ",
    "=",
    "20260102T030405Z",
    "Fri, 02 Jan 2026 03:04:05 GMT",
];

fn account() -> (Iam, Credentials) {
    let mut iam = Iam::new(Account {
        id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
    });
    let keys = iam.add_user("local");
    (iam, keys)
}

static ACCOUNT: LazyLock<(Iam, Credentials)> = LazyLock::new(account);

fn service() -> impl Strategy<Value = Service> {
    select(&[Service::Sqs, Service::Lambda, Service::DynamoDb][..])
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => vec(select(PIECES), 0..12).prop_map(|pieces| pieces.concat()),
        1 => "[ -~]{0,60}",
        1 => any::<String>(),
    ]
}

/// A path, and perhaps a query, as it can stand in a request.
fn target() -> impl Strategy<Value = Uri> {
    "/[!$%-;=@-Z_a-z~]{0,30}(\\?[!$%-;=?@-Z_a-z~]{0,30})?".prop_filter_map("no URI", |text| text.parse().ok())
}

/// What AWS's own library makes of a request: its parts, signed.
fn signed(service: Service, method: &str, target: &Uri, extra: &str, body: &[u8]) -> Option<Parts> {
    let keys = &ACCOUNT.1;
    let credentials = aws_credential_types::Credentials::new(
        &keys.access_key_id,
        &keys.secret_access_key,
        keys.session_token.clone(),
        None,
        "test",
    );
    let mut headers = vec![
        ("host".to_owned(), ADDRESS.to_owned()),
        ("x-other".to_owned(), extra.to_owned()),
    ];
    let url = format!("http://{ADDRESS}{target}");
    headers.extend(signing::headers(
        credentials,
        service.name(),
        method,
        &url,
        &headers,
        body,
    ));
    let mut request = Request::builder().method(method).uri(target);
    for (name, value) in &headers {
        request = request.header(name, value);
    }
    Some(request.body(()).ok()?.into_parts().0)
}

proptest! {
    /// Nobody can sign with a key that they do not have.
    #[test]
    fn what_is_not_signed_is_refused(
        service in service(),
        target in target(),
        headers in vec((select(HEADERS), text()), 0..8),
        body in vec(any::<u8>(), 0..20),
    ) {
        let mut request = Request::builder().method(Method::POST).uri(target);
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                request = request.header(name, value);
            }
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let refusal = ACCOUNT.0.check(service, &parts, &body).unwrap_err();
        prop_assert!(!matches!(refusal, Refusal::Denied(_)), "{}", refusal);
        prop_assert!(refusal.response(service).status().is_client_error());
    }

    /// Both sides make the same canonical request, whatever the request holds; and of no other one.
    #[test]
    fn what_awss_library_signs_is_accepted_and_nothing_else(
        service in service(),
        method in select(&["GET", "POST", "PUT"][..]),
        target in target(),
        extra in "[!-~]([ -~]{0,20}[!-~])?",
        body in vec(any::<u8>(), 0..50),
        damaged in select(HEADERS),
        value in text(),
    ) {
        let Some(mut parts) = signed(service, method, &target, &extra, &body) else {
            return Ok(());
        };
        prop_assert_eq!(ACCOUNT.0.check(service, &parts, &body).map(drop), Ok(()));
        let Ok(value) = HeaderValue::try_from(value) else {
            return Ok(());
        };
        let name = HeaderName::from_static(damaged);
        let before = parts.headers.insert(name, value.clone());
        // What is not signed, and what comes to the same, may be anything.
        let is_same = before.as_ref().is_some_and(|before| trimmed(before) == trimmed(&value));
        let is_signed = before.is_some() && damaged != "x-amz-content-sha256";
        if is_signed && !is_same {
            prop_assert!(ACCOUNT.0.check(service, &parts, &body).is_err(), "{}", damaged);
        }
    }
}

/// A value as it is signed.
fn trimmed(value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
