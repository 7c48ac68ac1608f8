//! Lambda's own API, as far as it is needed here: Invoke, and reading and updating a function's configuration
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html>).

use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{Lambda, function::Function, invocation::Invocation};

/// The path under which functions are found.
pub const FUNCTIONS: &str = "/2015-03-31/functions";

/// The largest events, in bytes: synchronous and asynchronous
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const LARGEST_EVENT: usize = 6 * 1024 * 1024;
const LARGEST_ASYNCHRONOUS_EVENT: usize = 1024 * 1024;

/// A request was refused.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    error_type: &'static str,
    message: String,
}

/// Answers one request to a path below [`FUNCTIONS`].
pub async fn handle(
    lambda: &Lambda,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Response<Bytes> {
    let answer = route(lambda, method, path, headers, body).await;
    let mut response = answer.unwrap_or_else(|refusal| refusal.response());
    let request_id = uuid::Uuid::new_v4().to_string();
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        response
            .headers_mut()
            .entry("x-amzn-requestid")
            .or_insert(request_id);
    }
    response
}

async fn route(
    lambda: &Lambda,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response<Bytes>, Refusal> {
    let path = path.strip_prefix(FUNCTIONS).unwrap_or_default().trim_matches('/');
    let (name, operation) = path.rsplit_once('/').unwrap_or((path, ""));
    match (method, name, operation) {
        (&Method::GET, "", "") => Ok(json_response(StatusCode::OK, &list(lambda))),
        (&Method::POST, name, "invocations") => {
            let function = find(lambda, name)?;
            invoke(lambda, function, headers, body).await
        }
        (&Method::GET, name, "configuration") => Ok(configuration(find(lambda, name)?)),
        (&Method::PUT, name, "configuration") => update(find(lambda, name)?, &body),
        (&Method::GET, "", name) => {
            let configuration = configuration_of(find(lambda, name)?);
            Ok(json_response(
                StatusCode::OK,
                &json!({ "Configuration": configuration }),
            ))
        }
        _ => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            format!("the local cloud does not know {method} {FUNCTIONS}/{path}"),
        )),
    }
}

/// Finds a function by its name, its partial or its whole ARN, with or without `$LATEST`; URL-encoded or not.
fn find<'a>(lambda: &'a Lambda, name: &str) -> Result<&'a Arc<Function>, Refusal> {
    let decoded = name.replace("%3A", ":").replace("%3a", ":").replace("%24", "$");
    let unqualified = decoded.strip_suffix(":$LATEST").unwrap_or(&decoded);
    let short = match unqualified.rsplit_once("function:") {
        Some((_, short)) => short,
        None => unqualified,
    };
    lambda.function(short).ok_or_else(|| {
        let message = format!("Function not found: {decoded}");
        Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    })
}

async fn invoke(
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
    let largest = match invocation_type {
        "Event" => LARGEST_ASYNCHRONOUS_EVENT,
        "RequestResponse" | "DryRun" => LARGEST_EVENT,
        other => {
            let message = format!("Unknown InvocationType {other}");
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "InvalidParameterValueException",
                message,
            ));
        }
    };
    check_payload(&payload, largest)?;
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
        _ => invoke_synchronously(function, headers, invocation).await?,
    };
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert("x-amzn-requestid", request_id);
    }
    Ok(response)
}

fn check_payload(payload: &Bytes, largest: usize) -> Result<(), Refusal> {
    if payload.len() > largest {
        let message = format!(
            "{} byte payload is too large for this invocation type (limit {largest} bytes)",
            payload.len()
        );
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTooLargeException",
            message,
        ));
    }
    serde_json::from_slice::<serde::de::IgnoredAny>(payload)
        .map(|_| ())
        .map_err(|error| {
            let message = format!("Could not parse request body into json: {error}");
            Refusal::new(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
        })
}

async fn invoke_synchronously(
    function: &Arc<Function>,
    headers: &HeaderMap,
    mut invocation: Invocation,
) -> Result<Response<Bytes>, Refusal> {
    invocation.wants_log = text(headers, "x-amz-log-type") == Some("Tail");
    invocation.client_context = text(headers, "x-amz-client-context").and_then(decode);
    let outcome = function.invoke(invocation).map_err(|throttled| {
        Refusal::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequestsException",
            throttled.to_string(),
        )
    })?;
    let outcome = outcome.await.map_err(|_| {
        let message = "the execution environment is gone".to_owned();
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

/// The client context comes as base64 and reaches the function as JSON.
fn decode(context: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(context).ok()?).ok()
}

/// The part of UpdateFunctionConfiguration that has an effect here. Any update, even of the description, makes new
/// environments take the place of the present ones, as on AWS.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    description: Option<String>,
    memory_size: Option<u32>,
    timeout: Option<u64>,
    environment: Option<UpdatedEnvironment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdatedEnvironment {
    variables: BTreeMap<String, String>,
}

fn update(function: &Arc<Function>, body: &[u8]) -> Result<Response<Bytes>, Refusal> {
    let invalid =
        |message: String| Refusal::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message);
    let update: Update = serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
    let mut settings = function.settings().as_ref().clone();
    if let Some(description) = update.description {
        settings.description = description;
    }
    if let Some(memory_size) = update.memory_size {
        if !(128..=10_240).contains(&memory_size) {
            return Err(invalid(format!(
                "MemorySize must be between 128 and 10240, not {memory_size}"
            )));
        }
        settings.memory_size = memory_size;
    }
    if let Some(timeout) = update.timeout {
        if !(1..=900).contains(&timeout) {
            return Err(invalid(format!(
                "Timeout must be between 1 and 900, not {timeout}"
            )));
        }
        settings.timeout = Duration::from_secs(timeout);
    }
    if let Some(environment) = update.environment {
        settings.environment = environment.variables;
    }
    function.configure(settings);
    Ok(configuration(function))
}

fn list(lambda: &Lambda) -> Value {
    json!({"Functions": lambda.functions().map(configuration_of).collect::<Vec<_>>()})
}

fn configuration(function: &Arc<Function>) -> Response<Bytes> {
    json_response(StatusCode::OK, &configuration_of(function))
}

fn configuration_of(function: &Arc<Function>) -> Value {
    let settings = function.settings();
    json!({
        "FunctionName": settings.name,
        "FunctionArn": settings.arn.as_ref(),
        "Description": settings.description,
        "Runtime": settings.runtime,
        "Handler": settings.handler,
        "MemorySize": settings.memory_size,
        "Timeout": settings.timeout.as_secs(),
        "Environment": {"Variables": settings.environment},
        "Version": "$LATEST",
        "PackageType": "Zip",
        "State": "Active",
        "LastUpdateStatus": "Successful",
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Refusal {
    fn new(status: StatusCode, error_type: &'static str, message: String) -> Self {
        Self {
            status,
            error_type,
            message,
        }
    }

    fn response(&self) -> Response<Bytes> {
        let kind = if self.status.is_server_error() {
            "Service"
        } else {
            "User"
        };
        let mut response = json_response(self.status, &json!({"Type": kind, "Message": self.message}));
        response
            .headers_mut()
            .insert("x-amzn-errortype", HeaderValue::from_static(self.error_type));
        response
    }
}
