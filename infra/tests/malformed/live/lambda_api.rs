//! Lambda's API, under the signature of the local user.

use aws_credential_types::Credentials;
use axum::http::Uri;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{base64, each_case, exchange, request};
use crate::support::common::signing;

/// Pieces of a path, and of a query.
const PIECES: &[&str] = &[
    "/",
    "//",
    "/Function",
    "/Function",
    "/Nobody",
    "/invocations",
    "/configuration",
    ":$LATEST",
    ":live",
    "/arn:aws:lambda:us-east-1:123456789012:function:Function",
    "/123456789012:function:Function",
    "%3A",
    "%24LATEST",
    "%2F",
    "%ff",
    "?",
    "&",
    "Qualifier=",
    "$LATEST",
    "MaxItems=",
    "1",
    "99999999999999999999",
    "-1",
    "Marker=",
    "a",
];

/// What some headers may say.
const INVOCATION_TYPES: &[&str] = &["RequestResponse", "Event", "DryRun", "event", ""];
const LINEAGES: &[&str] = &[
    "Root=1-5759e988-bd862e3fe1be46a994272793",
    ";",
    "Lineage=",
    "aae260cf:3",
    "|",
    ":",
    "100:",
    "99999999999",
    "Sampled=",
    " ",
];

#[derive(Clone, Debug)]
struct Call {
    method: &'static str,
    target: Uri,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn any_call() -> impl Strategy<Value = Call> {
    let usual = select(
        &[
            ("POST", "/Function/invocations"),
            ("PUT", "/Function/configuration"),
            ("GET", "/Function/configuration"),
            ("GET", "/Function"),
            ("GET", "/"),
        ][..],
    );
    let usual = usual.prop_map(|(method, path)| (method, path.to_owned()));
    let unusual = (
        select(&["GET", "POST", "PUT", "DELETE"][..]),
        vec(select(PIECES), 0..6),
    )
        .prop_map(|(method, pieces)| (method, pieces.concat()));
    let target = prop_oneof![usual, unusual].prop_filter_map("no URI", |(method, path)| {
        let uri = format!("/2015-03-31/functions{path}").parse().ok()?;
        Some((method, uri))
    });
    (target, vec(header(), 0..4), body()).prop_map(|((method, target), headers, body)| Call {
        method,
        target,
        headers,
        body,
    })
}

fn header() -> impl Strategy<Value = (String, String)> {
    let text = || "[!-~]([ -~]{0,20}[!-~])?";
    let context = prop_oneof![
        any_json().prop_map(|context| base64(context.to_string())),
        any::<String>().prop_map(base64),
        vec(any::<u8>(), 0..20).prop_map(base64),
        text().prop_map(String::from),
    ];
    let lineage = vec(select(LINEAGES), 0..8).prop_map(|pieces| pieces.concat().trim().to_owned());
    let of = |name: &'static str| move |value| (name.to_owned(), value);
    prop_oneof![
        select(INVOCATION_TYPES)
            .prop_map(str::to_owned)
            .prop_map(of("x-amz-invocation-type")),
        select(&["Tail", "None", "x"][..])
            .prop_map(str::to_owned)
            .prop_map(of("x-amz-log-type")),
        context.prop_map(of("x-amz-client-context")),
        lineage.prop_map(of("x-amzn-trace-id")),
        text().prop_map(String::from).prop_map(of("content-type")),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..1_000_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\u{0}-\u{ff}]{0,20}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        4 => select(&["Timeout", "MemorySize", "Description", "Environment", "Variables", "AWS_REGION", "NAME"][..])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => vec((name.clone(), inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An event, an update of the configuration, or any bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let update = (any_json(), 0..1_000_i64, 100..11_000_i64).prop_map(|(variables, timeout, memory_size)| {
        let environment = json!({ "Variables": variables });
        json!({"Timeout": timeout, "MemorySize": memory_size, "Environment": environment})
    });
    prop_oneof![
        3 => any_json().prop_map(|value| value.to_string().into_bytes()),
        1 => update.prop_map(|value| value.to_string().into_bytes()),
        1 => Just(br#"{"do": [{"error": {"errorMessage": "no"}}]}"#.to_vec()),
        1 => vec(any::<u8>(), 0..60),
        1 => Just(Vec::new()),
    ]
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>, `API_UpdateFunctionConfiguration`,
/// `API_ListFunctions`: an answer, or an error of the caller's, in JSON and with its type.
#[test]
fn any_signed_call_is_answered_or_refused() {
    each_case(
        &any_call(),
        "Timeout: 3",
        &["--time-scale", "600"],
        async |cloud, case| {
            let Call {
                method,
                target,
                mut headers,
                body,
            } = case;
            let url = cloud.text("endpoint_url");
            headers.push(("host".to_owned(), url.strip_prefix("http://").unwrap().to_owned()));
            let (id, secret) = (cloud.text("access_key_id"), cloud.text("secret_access_key"));
            let keys = Credentials::new(id, secret, None, None, "test");
            let signature =
                signing::headers(keys, "lambda", method, &format!("{url}{target}"), &headers, &body);
            headers.extend(signature);
            let headers: Vec<_> = headers
                .into_iter()
                .map(|(name, value)| (name, value.into_bytes()))
                .collect();
            let answer = exchange(
                url,
                &request(method, target.to_string().as_bytes(), &headers, &body),
                true,
            );
            let Some(answer) = answer else {
                return Err(TestCaseError::fail("no answer"));
            };
            let text = String::from_utf8_lossy(&answer.body);
            prop_assert!((200..500).contains(&answer.status), "{} {}", answer.status, text);
            prop_assert!(answer.status != 403, "{}", text);
            prop_assert!(
                answer.status < 300 || serde_json::from_slice::<Value>(&answer.body).is_ok(),
                "{}",
                text
            );
            Ok(())
        },
    );
}
