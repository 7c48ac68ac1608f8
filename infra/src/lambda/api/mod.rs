//! Lambda's own API, as far as it is needed here: Invoke ([`invoke`]), and reading and updating a function's
//! configuration ([`configuration`]); <https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html>.

mod configuration;
mod function_name;
mod invoke;
mod refusal;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

pub(crate) use self::function_name::FunctionName;
use self::refusal::Refusal;
use super::{Lambda, function::Function};

/// The path under which functions are found.
pub const FUNCTIONS: &str = "/2015-03-31/functions";

/// Answers one request to a path below [`FUNCTIONS`], which may have a query.
pub async fn handle(
    lambda: &Lambda,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Response<Bytes> {
    let answer = route(lambda, method, path, headers, body).await;
    identified(answer.unwrap_or_else(|refusal| refusal.response()))
}

/// The answer to a request of a caller who makes too many.
pub fn throttled() -> Response<Bytes> {
    identified(Refusal::caller_rate_exceeded().response())
}

/// The same with a request id.
fn identified(mut response: Response<Bytes>) -> Response<Bytes> {
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
    path_and_query: &str,
    headers: &HeaderMap,
    body: Bytes,
) -> Result<Response<Bytes>, Refusal> {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let segments: Vec<&str> = path
        .strip_prefix(FUNCTIONS)
        .unwrap_or_default()
        .trim_matches('/')
        .split('/')
        .collect();
    let find = |name| find(lambda, name, query);
    match (method, segments.as_slice()) {
        (&Method::GET, [""]) => configuration::list(lambda, query),
        (&Method::POST, [name, "invocations"]) => invoke::run(lambda, find(name)?, headers, body).await,
        (&Method::GET, [name, "configuration"]) => {
            Ok(json_response(StatusCode::OK, &configuration::of(find(name)?)))
        }
        (&Method::PUT, [name, "configuration"]) => configuration::update(find(name)?, &body),
        (&Method::GET, [name]) => {
            let configuration = configuration::of(find(name)?);
            Ok(json_response(
                StatusCode::OK,
                &json!({ "Configuration": configuration }),
            ))
        }
        _ => Err(Refusal::new(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            format!("the local cloud does not know {method} {path}"),
        )),
    }
}

/// Finds the function that a request names, in its path and its query.
fn find<'a>(lambda: &'a Lambda, name: &str, query: &str) -> Result<&'a Arc<Function>, Refusal> {
    let name = FunctionName::parse(name, query)?;
    let (region, account_id) = lambda.location();
    name.check_location(region, account_id)?;
    let function = lambda.function(&name.name).filter(|_| name.is_latest());
    function.ok_or_else(|| {
        let message = format!("Function not found: {}", name.arn(region, account_id));
        Refusal::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", message)
    })
}

/// A parameter of a query, decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(found, value)| (found == name).then(|| decode(value)))
}

/// Decodes what is percent-encoded. What is not UTF-8 then is neither a name nor a number.
fn decode(encoded: &str) -> String {
    percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

fn json_response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
