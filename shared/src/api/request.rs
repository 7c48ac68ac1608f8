//! Reading `POST /tasks`: headers and body, bounded before they are parsed, checked before anything is stored.

use lambda_http::{
    Body, Request, RequestExt,
    http::{HeaderMap, header::CONTENT_TYPE},
    request::RequestContext,
};
use serde_json::{Map, Value};

use super::{Problem, caller::caller};
use crate::{Record, Timestamp, digest::sha256, store::IdempotencyKey, task::InvalidParameter, tasks};

/// The largest request body, in bytes. The parameters of a task are kept in its record.
const LARGEST_BODY: usize = 16 * 1024;

/// The longest idempotency key, in characters.
const LONGEST_KEY: usize = 255;

/// A task that a client asks for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) kind: String,
    pub(super) parameters: Map<String, Value>,
    /// Whether to run it within the request.
    pub(super) wait: bool,
    pub(super) key: Option<IdempotencyKey>,
    /// What API Gateway calls the request.
    pub(super) request_id: Option<String>,
}

impl Wanted {
    /// The record of the task, accepted now, and the key of its request.
    pub(super) fn into_record(self) -> (Record, Option<IdempotencyKey>) {
        let record = Record {
            api_request_id: self.request_id,
            ..Record::accept(&self.kind, self.parameters, Timestamp::now())
        };
        (record, self.key)
    }
}

/// Reads the request.
pub(super) fn read(request: &Request) -> Result<Wanted, Problem> {
    let headers = request.headers();
    check_content_type(headers)?;
    let body = bytes_of(request.body());
    if body.len() > LARGEST_BODY {
        return Err(Problem::body_too_large(body.len(), LARGEST_BODY));
    }
    let key = idempotency_key(headers, body, caller(request))?;
    let mut parameters: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(&InvalidParameter::new("body", format!("body: {error}"))))?;
    let kind = match parameters.remove("kind") {
        Some(Value::String(kind)) => kind,
        Some(_) => return Err(invalid("kind", "kind must be a string")),
        None => return Err(invalid("kind", "kind is missing")),
    };
    tasks::parse(&kind, parameters.clone()).map_err(|error| Problem::invalid(&error))?;
    Ok(Wanted {
        kind,
        parameters,
        wait: prefers_wait(headers),
        key,
        request_id: request_id(request),
    })
}

fn request_id(request: &Request) -> Option<String> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    }
}

fn bytes_of(body: &Body) -> &[u8] {
    match body {
        Body::Text(text) => text.as_bytes(),
        Body::Binary(bytes) => bytes,
        // The enum is open; whatever else it may come to hold is not JSON.
        _ => &[],
    }
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::unsupported_media_type(content_type))
}

/// `Prefer: wait` or `wait=N` (RFC 7240), alone or among other preferences. How long the client would wait is not
/// taken into account.
fn prefers_wait(headers: &HeaderMap) -> bool {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|preference| preference.split([';', '=']).next())
        .any(|name| name.trim().eq_ignore_ascii_case("wait"))
}

/// Key and request are kept as digests: neither has to be stored, and both have a fixed size. Where callers are known, each has
/// keys of its own: who guesses another's key would get at that one's task.
fn idempotency_key(
    headers: &HeaderMap,
    body: &[u8],
    caller: Option<String>,
) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.to_str().ok();
    let Some(key) = key.filter(|key| !key.is_empty() && key.len() <= LONGEST_KEY) else {
        let detail = format!("Idempotency-Key must be 1 to {LONGEST_KEY} printable ASCII characters");
        return Err(invalid("Idempotency-Key", &detail));
    };
    let owned = caller.map(|caller| format!("{caller}\0{key}"));
    Ok(Some(IdempotencyKey {
        key: sha256(owned.as_deref().unwrap_or(key).as_bytes()),
        request: sha256(body),
    }))
}

fn invalid(field: &str, detail: &str) -> Problem {
    Problem::invalid(&InvalidParameter::new(field, detail))
}
