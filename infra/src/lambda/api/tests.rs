//! Requests as SDKs send them, and the API's answers to those that need no function.

use std::collections::HashMap;

use super::*;
use crate::{
    clock::Clock,
    lambda::{Configuration, function::Rejection},
    sqs::Sqs,
};

async fn refused(name: &str, query: &str) -> (StatusCode, String, Value) {
    let configuration = Configuration {
        region: "us-east-1".to_owned(),
        account_id: "123456789012".to_owned(),
        clock: Clock::new(1.0),
        idle_timeout: std::time::Duration::from_secs(1),
    };
    let sqs = Sqs::new("us-east-1", "123456789012", "http://localhost");
    let lambda = Lambda::new(HashMap::new(), sqs, configuration);
    let path = format!("{FUNCTIONS}/{name}/invocations{query}");
    let response = handle(&lambda, &Method::POST, &path, &HeaderMap::new(), Bytes::new()).await;
    parts(&response)
}

fn parts(response: &Response<Bytes>) -> (StatusCode, String, Value) {
    let error_type = response.headers()["x-amzn-errortype"]
        .to_str()
        .unwrap()
        .to_owned();
    (
        response.status(),
        error_type,
        serde_json::from_slice(response.body()).unwrap(),
    )
}

#[tokio::test]
async fn an_unknown_function_or_version_is_not_found_by_its_arn() {
    for (name, query, missing) in [
        ("f", "", "f"),
        ("f", "?Qualifier=live", "f:live"),
        ("f%3A1", "?a=b", "f:1"),
    ] {
        let (status, error_type, body) = refused(name, query).await;
        assert_eq!(
            (status, error_type.as_str()),
            (StatusCode::NOT_FOUND, "ResourceNotFoundException")
        );
        let message = format!("Function not found: arn:aws:lambda:us-east-1:123456789012:function:{missing}");
        assert_eq!(body, json!({"Type": "User", "Message": message}));
    }
}

#[tokio::test]
async fn a_function_of_another_region_or_account_is_out_of_reach() {
    let (status, error_type, body) =
        refused("arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af", "").await;
    assert_eq!(
        (status, error_type.as_str()),
        (StatusCode::NOT_FOUND, "ResourceNotFoundException")
    );
    assert_eq!(
        body["Message"],
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"
    );
    let (status, error_type, _) = refused("210987654321:function:f", "").await;
    assert_eq!(
        (status, error_type.as_str()),
        (StatusCode::FORBIDDEN, "AccessDeniedException")
    );
}

/// The body of a throttle stands in public recordings:
/// `{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`.
#[test]
fn a_throttle_gives_its_reason() {
    for (is_reserved, reason) in [
        (true, "ReservedFunctionConcurrentInvocationLimitExceeded"),
        (false, "ConcurrentInvocationLimitExceeded"),
    ] {
        let response = Refusal::from(Rejection::Throttled { is_reserved }).response();
        assert!(response.headers().contains_key("retry-after"));
        let (status, error_type, body) = parts(&response);
        assert_eq!(
            (status, error_type.as_str()),
            (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException")
        );
        assert_eq!(
            body,
            json!({"Reason": reason, "Type": "User", "message": "Rate Exceeded."})
        );
    }
}
