//! Invoke, as SDKs send it (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::support::{LocalCloud, function};

/// With one environment, which every invocation uses.
fn cloud() -> LocalCloud {
    LocalCloud::up(
        &function("Function", "Timeout: 30\nReservedConcurrentExecutions: 1"),
        &[],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_found_by_its_name_and_its_arn_with_the_version_that_there_is() {
    let cloud = cloud();
    for name in [
        "Function",
        "Function:$LATEST",
        "Function%3A%24LATEST",
        "123456789012:function:Function",
        "arn:aws:lambda:us-east-1:123456789012:function:Function",
        "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3AFunction%3A%24LATEST",
    ] {
        let response = cloud.invoke_with(name, &[], "{}").await;
        assert_eq!(response.status(), 200, "{name}");
        assert_eq!(response.headers()["x-amz-executed-version"], "$LATEST");
    }
    for (name, status) in [
        ("Function?Qualifier=%24LATEST", 200),
        ("Function?Qualifier=live", 404),
    ] {
        let response = cloud.invoke_with(name, &[], "{}").await;
        assert_eq!(response.status(), status, "{name}");
    }
    let response = cloud.invoke_with("Function:live", &[], "{}").await;
    assert_eq!(response.status(), 404);
    let response = cloud
        .invoke_with(
            "arn:aws:lambda:eu-west-1:123456789012:function:Function",
            &[],
            "{}",
        )
        .await;
    assert_eq!(
        response.headers()["x-amzn-errortype"],
        "ResourceNotFoundException"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_its_reserved_concurrency_a_function_is_throttled() {
    let cloud = cloud();
    cloud
        .invoke_later("Function", &json!({"do": [{"sleep": 20_000}]}))
        .await;
    cloud.logged("START").await;
    let response = cloud.try_invoke("Function", &[], b"{}".into()).await;
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["x-amzn-errortype"], "TooManyRequestsException");
    assert!(response.headers().contains_key("retry-after"));
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(
        body["Reason"],
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    );
}

/// Synchronously only, as Invoke's description says.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_context_reaches_the_function() {
    let cloud = cloud();
    let context = STANDARD.encode(r#"{"custom": {"a": "b"}}"#);
    let event = json!({"do": [{"header": "lambda-runtime-client-context"}, {"respond_last": true}]});
    let headers = [("x-amz-client-context", context.as_str())];
    let response = cloud.invoke_with("Function", &headers, event.to_string()).await;
    assert_eq!(
        response.text().await.unwrap(),
        json!(r#"{"custom": {"a": "b"}}"#).to_string()
    );

    let show = json!({"do": [{"header": "lambda-runtime-client-context"}, {"print_last": true}]});
    let headers = [
        ("x-amz-client-context", context.as_str()),
        ("x-amz-invocation-type", "Event"),
    ];
    assert_eq!(
        cloud
            .invoke_with("Function", &headers, show.to_string())
            .await
            .status(),
        202
    );
    cloud.logged("last: null").await;
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next>
#[tokio::test(flavor = "multi_thread")]
async fn an_event_comes_with_the_headers_of_the_runtime_api() {
    let cloud = cloud();
    for (name, starts_with) in [
        ("lambda-runtime-aws-request-id", ""),
        ("lambda-runtime-invocation-id", ""),
        ("lambda-runtime-deadline-ms", "1"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:Function",
        ),
        ("lambda-runtime-trace-id", "Root=1-"),
        ("content-type", "application/json"),
    ] {
        let outcome = cloud
            .invoke(
                "Function",
                &json!({"do": [{"header": name}, {"respond_last": true}]}),
            )
            .await;
        let value = outcome
            .body
            .as_str()
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert!(
            !value.is_empty() && value.starts_with(starts_with),
            "{name}: {value}"
        );
    }
}

/// 6 MB pass each way, and no more
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_on_the_way_in_and_on_the_way_out() {
    let cloud = cloud();
    let event = |size: usize| format!("{{\"do\": [], \"padding\": \"{}\"}}", "x".repeat(size));
    assert_eq!(
        cloud
            .invoke_with("Function", &[], event(6_000_000))
            .await
            .status(),
        200
    );
    let response = cloud.invoke_with("Function", &[], event(6_400_000)).await;
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["x-amzn-errortype"]
        ),
        (413, &"RequestTooLargeException".parse().unwrap())
    );
    let headers = [("x-amz-invocation-type", "Event")];
    assert_eq!(
        cloud
            .invoke_with("Function", &headers, event(1_100_000))
            .await
            .status(),
        413
    );

    let outcome = cloud
        .invoke("Function", &json!({"do": [{"respond_bytes": 6_000_000}]}))
        .await;
    assert_eq!(outcome.body.as_str().map(str::len), Some(6_000_000));
    let outcome = cloud
        .invoke("Function", &json!({"do": [{"respond_bytes": 6_400_000}]}))
        .await;
    let message = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
    assert_eq!(
        outcome.body,
        json!({"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_function_has_a_log_file_where_they_are_wanted() {
    let directory = tempfile::tempdir().unwrap();
    let logs = directory.path().join("logs");
    let cloud = LocalCloud::up(
        &(function("One", "") + &function("Two", "")),
        &["--logs", logs.to_str().unwrap()],
    );
    for name in ["One", "Two"] {
        cloud
            .invoke(name, &json!({"do": [{"print": format!("said by {name}")}]}))
            .await;
    }
    let one = std::fs::read_to_string(logs.join("One.log")).unwrap();
    let two = std::fs::read_to_string(logs.join("Two.log")).unwrap();
    assert!(
        one.starts_with("START RequestId: ") && one.contains("\nsaid by One\n"),
        "{one}"
    );
    assert!(
        two.contains("\nsaid by Two\n") && !two.contains("said by One"),
        "{two}"
    );
}
