//! Invoke (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::refusal::Refusal;
use crate::lambda::{LARGEST_EVENT, Lambda, function::Function, invocation::Invocation};

/// The largest event of an asynchronous invocation, in bytes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const LARGEST_ASYNCHRONOUS_EVENT: usize = 1024 * 1024;

/// The longest client context, in bytes of base64.
const LONGEST_CLIENT_CONTEXT: usize = 3_583;

pub(super) async fn run(
    lambda: &Lambda,
    function: &Arc<Function>,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response<Bytes>, Refusal> {
    let payload = if body.is_empty() {
        Bytes::from_static(b"{}")
    } else {
        body
    };
    let invocation_type = text(headers, "x-amz-invocation-type").unwrap_or("RequestResponse");
    check_size(payload.len(), invocation_type)?;
    check_json(&payload)?;
    let mut invocation = Invocation::new(payload);
    if let Some(trace_id) = text(headers, "x-amzn-trace-id") {
        trace_id.clone_into(&mut invocation.trace_id);
    }
    let request_id = invocation.request_id.clone();
    let mut response = match invocation_type {
        "DryRun" => empty(StatusCode::NO_CONTENT),
        "Event" => {
            lambda.invoke_asynchronously(function, invocation);
            empty(StatusCode::ACCEPTED)
        }
        _ => synchronously(function, headers, invocation).await?,
    };
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert("x-amzn-requestid", request_id);
    }
    Ok(response)
}

/// The texts stand in public recordings of AWS's answers.
fn check_size(size: usize, invocation_type: &str) -> Result<(), Refusal> {
    let refuse = |message: String| {
        Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTooLargeException",
            message,
        ))
    };
    match invocation_type {
        "Event" if size > LARGEST_ASYNCHRONOUS_EVENT => refuse(format!(
            "{size} byte payload is too large for the Event invocation type (limit {LARGEST_ASYNCHRONOUS_EVENT} bytes)"
        )),
        "RequestResponse" | "DryRun" if size > LARGEST_EVENT => refuse(format!(
            "Request must be smaller than {LARGEST_EVENT} bytes for the InvokeFunction operation"
        )),
        "Event" | "RequestResponse" | "DryRun" => Ok(()),
        other => Err(Refusal::invalid_parameter(format!(
            "Unknown InvocationType {other}"
        ))),
    }
}

fn check_json(payload: &[u8]) -> Result<(), Refusal> {
    serde_json::from_slice::<serde::de::IgnoredAny>(payload)
        .map(|_| ())
        .map_err(|error| {
            let message =
                format!("Could not parse request body into json: Could not parse payload into json: {error}");
            Refusal::new(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
        })
}

async fn synchronously(
    function: &Arc<Function>,
    headers: &HeaderMap,
    mut invocation: Invocation,
) -> Result<Response<Bytes>, Refusal> {
    invocation.wants_log = text(headers, "x-amz-log-type") == Some("Tail");
    invocation.client_context = text(headers, "x-amz-client-context")
        .map(client_context)
        .transpose()?;
    let outcome = function.invoke(invocation)?.await.map_err(|_| {
        let message = "the execution environment is gone";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", message)
    })?;
    let log = STANDARD.encode(&outcome.log_tail);
    let mut response = Response::new(outcome.payload);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-amz-executed-version", HeaderValue::from_static("$LATEST"));
    if let Some(error) = outcome.function_error {
        headers.insert("x-amz-function-error", HeaderValue::from_static(error));
    }
    if let Some(log) = HeaderValue::try_from(log).ok().filter(|log| !log.is_empty()) {
        headers.insert("x-amz-log-result", log);
    }
    Ok(response)
}

/// The client context comes as base64 and reaches the function as JSON. AWS's own text for a wrong one is not known.
fn client_context(encoded: &str) -> Result<String, Refusal> {
    let refuse = |message: &str| Err(Refusal::invalid_parameter(message));
    if encoded.len() > LONGEST_CLIENT_CONTEXT {
        return refuse("The client context is longer than 3583 bytes");
    }
    let decoded = STANDARD
        .decode(encoded)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    match decoded.filter(|context| serde_json::from_str::<serde::de::IgnoredAny>(context).is_ok()) {
        // A header can have neither line breaks, which JSON does not need, nor the delete character, which JSON has within
        // texts alone.
        Some(context) => Ok(context.replace(['\r', '\n'], " ").replace('\u{7f}', "\\u007f")),
        None => refuse("The client context is not a JSON document in base64"),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
    #[test]
    fn six_megabytes_pass_synchronously_and_one_asynchronously() {
        const MEGABYTE: usize = 1024 * 1024;
        for (size, invocation_type, passes) in [
            (6 * MEGABYTE, "RequestResponse", true),
            (6 * MEGABYTE + 1, "RequestResponse", false),
            (6 * MEGABYTE + 1, "DryRun", false),
            (MEGABYTE, "Event", true),
            (MEGABYTE + 1, "Event", false),
        ] {
            let refused = check_size(size, invocation_type)
                .err()
                .map(|refusal| refusal.status);
            assert_eq!(
                refused,
                (!passes).then_some(StatusCode::PAYLOAD_TOO_LARGE),
                "{size} {invocation_type}"
            );
        }
        assert_eq!(
            check_size(1, "Later").unwrap_err().status,
            StatusCode::BAD_REQUEST
        );
    }

    #[test]
    fn a_client_context_is_json_in_base64() {
        assert_eq!(
            client_context(&STANDARD.encode("{\"a\":\n1}")).unwrap(),
            "{\"a\": 1}"
        );
        assert_eq!(
            client_context(&STANDARD.encode("\"\u{7f}\"")).unwrap(),
            r#""\u007f""#
        );
        assert!(client_context("{}").is_err());
        assert!(client_context(&STANDARD.encode("no JSON")).is_err());
        assert!(client_context(&STANDARD.encode(format!("\"{}\"", "x".repeat(2_700)))).is_err());
    }
}
