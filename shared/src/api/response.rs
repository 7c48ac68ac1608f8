//! Writing responses.

use lambda_http::{
    Body, Response,
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE, LOCATION, RETRY_AFTER},
    },
};
use serde::Serialize;
use serde_json::Value;

use super::Problem;
use crate::{Record, Status, Timestamp, record::Failure};

/// A task as its client sees it.
#[derive(Serialize)]
struct TaskView<'a> {
    id: &'a str,
    kind: &'a str,
    status: Status,
    attempts: u32,
    continuations: u32,
    accepted_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    progress: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
}

/// The task was accepted, or its end was asked for.
pub(super) fn accepted(record: &Record) -> Response<Body> {
    let mut response = task(StatusCode::ACCEPTED, record);
    set_location(&mut response, record);
    response
}

/// The task was found.
pub(super) fn found(record: &Record) -> Response<Body> {
    task(StatusCode::OK, record)
}

/// The task was run within the request. One that another request began may still be on its way.
pub(super) fn waited(record: &Record) -> Response<Body> {
    if !record.status.is_final() {
        return accepted(record);
    }
    let mut response = task(StatusCode::OK, record);
    set_location(&mut response, record);
    response
        .headers_mut()
        .insert("preference-applied", HeaderValue::from_static("wait"));
    response
}

/// The request was not carried out.
pub(super) fn problem(problem: &Problem) -> Response<Body> {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, "application/problem+json", &problem.details());
    if let Some(allow) = problem.allow {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static(allow));
    }
    if let Some(seconds) = problem.retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn task(status: StatusCode, record: &Record) -> Response<Body> {
    let view = TaskView {
        id: record.id.as_str(),
        kind: &record.kind,
        status: record.status,
        attempts: record.attempts,
        continuations: record.continuations,
        accepted_at: record.accepted_at,
        started_at: record.started_at,
        finished_at: record.finished_at,
        progress: record.progress,
        result: record.result.as_ref(),
        error: record.error.as_ref(),
    };
    let mut response = json(status, "application/json", &view);
    if !record.status.is_final() {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds_to_wait(record)));
    }
    response
}

/// When to ask again: soon at first, seldom later.
fn seconds_to_wait(record: &Record) -> u64 {
    let age = Timestamp::now() - record.accepted_at;
    if age.as_secs() < 10 { 1 } else { 5 }
}

fn set_location(response: &mut Response<Body>, record: &Record) {
    // A UUID is always a valid header value.
    if let Ok(location) = HeaderValue::try_from(format!("/tasks/{}", record.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
}

fn json(status: StatusCode, content_type: &'static str, body: &impl Serialize) -> Response<Body> {
    let (status, body) = match serde_json::to_string(body) {
        Ok(body) => (status, Body::Text(body)),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Body::Empty),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
