//! The Runtime API and the Extensions API, which a function's process speaks.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{base64, each_case, header_value, request};

/// Paths, and what is nearly one; the function puts in the id of the request that it is at.
const PATHS: &[&str] = &[
    "/2018-06-01/runtime/invocation/$id/response",
    "/2018-06-01/runtime/invocation/$id/error",
    "/2018-06-01/runtime/invocation/x/response",
    "/2018-06-01/runtime/invocation//error",
    "/2018-06-01/runtime/invocation/$id/response/more",
    "/2018-06-01/runtime/invocation/next",
    "/2018-06-01/runtime/init/error",
    "/2018-06-01/runtime",
    "/2020-01-01/extension/register",
    "/2020-01-01/extension/event/next",
    "/2020-01-01/extension/init/error",
    "/2020-01-01/extension/exit/error",
    "/2020-01-01/extension",
    "/",
    "*",
    "/%ff?%",
];

const HEADERS: &[&str] = &[
    "content-type",
    "lambda-runtime-invocation-id",
    "lambda-runtime-function-error-type",
    "lambda-runtime-function-response-mode",
    "lambda-extension-name",
    "lambda-extension-identifier",
    "lambda-extension-function-error-type",
];

fn any_request() -> impl Strategy<Value = Vec<u8>> {
    let method = select(&["GET", "POST", "PUT", "HEAD"][..]);
    let header = (select(HEADERS).prop_map(str::to_owned), header_value());
    let body = prop_oneof![
        select(
            &[
                "{\"events\": [\"INVOKE\"]}",
                "{\"events\": 1}",
                "{\"errorType\": 1}",
                "null",
                "{"
            ][..]
        )
        .prop_map(|text| text.as_bytes().to_vec()),
        vec(any::<u8>(), 0..40),
    ];
    let whole = (method, select(PATHS), vec(header, 0..4), body)
        .prop_map(|(method, path, headers, body)| request(method, path.as_bytes(), &headers, &body));
    prop_oneof![8 => whole, 1 => vec(any::<u8>(), 0..60)]
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>: whatever a runtime says, its caller gets an answer or
/// a function error, and the function can be invoked again.
#[test]
fn a_function_that_says_anything_harms_itself_alone() {
    each_case(
        &vec(any_request(), 1..4),
        "Timeout: 5",
        &[],
        async |cloud, case| {
            let texts: Vec<String> = case.iter().map(base64).collect();
            let event = json!({"do": [{"send_raw": texts}, {"respond_last": true}]});
            let response = cloud.invoke_with("Function", &[], event.to_string()).await;
            prop_assert_eq!(response.status().as_u16(), 200);
            let is_error = response.headers().contains_key("x-amz-function-error");
            let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
            for status in answer.as_array().into_iter().flatten().filter(|_| !is_error) {
                let known = [
                    json!(null),
                    json!(200),
                    json!(202),
                    json!(400),
                    json!(403),
                    json!(404),
                    json!(410),
                ];
                prop_assert!(known.contains(status), "{}", status);
            }
            // An event that was taken away from the function's own loop fails; the loop goes on with the next one.
            let good = json!({"do": [{"respond": "good"}]});
            for _ in 0..3 {
                if cloud.invoke("Function", &good).await.body == json!("good") {
                    return Ok(());
                }
            }
            Err(TestCaseError::fail("the function does not come back"))
        },
    );
}
