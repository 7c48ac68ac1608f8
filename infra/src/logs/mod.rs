//! CloudWatch Logs, as far as reading goes: `FilterLogEvents` on the log groups of functions, by the service's JSON
//! protocol. `group` keeps what the functions and Lambda write, `pattern` says which of it is wanted. Groups are made by
//! Lambda alone; nobody else can write into them.
//!
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>

mod group;
mod pattern;

use std::sync::Arc;

use axum::http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

pub use self::group::LogGroup;
use self::{group::Event, pattern::Pattern};
use crate::lambda::Lambda;

/// What the header `X-Amz-Target` has before the operation.
pub const TARGET: &str = "Logs_20140328";

/// What the names of functions' log groups begin with
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html>).
const FUNCTIONS: &str = "/aws/lambda/";

/// The most events that a page has.
const LARGEST_PAGE: usize = 10_000;

/// The most that the events of a page have, in bytes.
const LARGEST_PAGE_SIZE: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
    start_from_head: Option<bool>,
}

/// A request was refused: the type of the error, and its message.
#[derive(Debug, PartialEq)]
struct Refusal(&'static str, String);

/// Answers one request.
pub fn handle(lambda: &Lambda, operation: &str, body: &[u8]) -> Response<Bytes> {
    let answer = match operation {
        "FilterLogEvents" => filter(lambda, body),
        _ => Err(Refusal(
            "UnknownOperationException",
            format!("the local cloud does not know {operation}"),
        )),
    };
    match answer {
        Ok(answer) => response(StatusCode::OK, &answer),
        Err(Refusal(kind, message)) => error(kind, &message),
    }
}

/// The answer to a request that is throttled
/// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/CommonErrors.html>).
pub fn throttled() -> Response<Bytes> {
    error("ThrottlingException", "Rate exceeded")
}

/// The name of the log group that a request is about: it names it, or gives its ARN.
pub fn group_name(request: &Value) -> Option<&str> {
    let identifier = || {
        let identifier = request["logGroupIdentifier"].as_str()?;
        Some(of_identifier(identifier))
    };
    request["logGroupName"].as_str().or_else(identifier)
}

fn of_identifier(identifier: &str) -> &str {
    identifier
        .split_once(":log-group:")
        .map_or(identifier, |(_, name)| name.trim_end_matches(":*"))
}

fn filter(lambda: &Lambda, body: &[u8]) -> Result<Value, Refusal> {
    let request: Request =
        serde_json::from_slice(body).map_err(|error| Refusal("SerializationException", error.to_string()))?;
    let group = group(lambda, &request)?;
    events(&group, &request)
}

/// The words were recorded in <https://github.com/jorgebastida/awslogs/issues/144>.
fn group(lambda: &Lambda, request: &Request) -> Result<Arc<LogGroup>, Refusal> {
    let name = match (&request.log_group_name, &request.log_group_identifier) {
        (Some(name), None) => name,
        (None, Some(identifier)) => of_identifier(identifier),
        _ => return Err(invalid("give either logGroupName or logGroupIdentifier")),
    };
    let function = name
        .strip_prefix(FUNCTIONS)
        .and_then(|name| lambda.function(name));
    function.map(|function| function.log_group()).ok_or_else(|| {
        let message = "The specified log group does not exist.";
        Refusal("ResourceNotFoundException", message.to_owned())
    })
}

fn events(group: &LogGroup, request: &Request) -> Result<Value, Refusal> {
    let pattern = Pattern::parse(request.filter_pattern.as_deref().unwrap_or_default())
        .map_err(|unknown| invalid(unknown.to_string()))?;
    if request.start_from_head == Some(false) {
        return Err(invalid("the local cloud gives the earliest events first"));
    }
    if request.log_stream_names.is_some() && request.log_stream_name_prefix.is_some() {
        return Err(invalid("give either logStreamNames or logStreamNamePrefix"));
    }
    let limit = limit(request.limit)?;
    let from = match &request.next_token {
        None => 0,
        Some(token) => token
            .parse()
            .map_err(|_| invalid("The specified nextToken is invalid."))?,
    };
    let is_in_time = |event: &Event| {
        request.start_time.is_none_or(|start| event.timestamp >= start)
            && request.end_time.is_none_or(|end| event.timestamp <= end)
    };
    let is_in_stream = |event: &Event| {
        let names = request.log_stream_names.as_ref();
        let prefix = request.log_stream_name_prefix.as_ref();
        names.is_none_or(|names| names.iter().any(|name| **name == *event.stream))
            && prefix.is_none_or(|prefix| event.stream.starts_with(prefix.as_str()))
    };
    let (page, next) = group.page(from, limit, |event| {
        is_in_time(event) && is_in_stream(event) && pattern.matches(&event.line)
    });
    let (page, next) = within_the_largest_size(page, next);
    let events: Vec<Value> = page.iter().map(Event::to_json).collect();
    let mut answer = json!({"events": events, "searchedLogStreams": []});
    if let Some(next) = next {
        answer["nextToken"] = json!(next.to_string());
    }
    Ok(answer)
}

/// The part of a page that is not too large: at least one event, though.
fn within_the_largest_size(mut page: Vec<Event>, next: Option<u64>) -> (Vec<Event>, Option<u64>) {
    let mut size = 0;
    let first_too_many = page.iter().position(|event| {
        size += event.line.len();
        size > LARGEST_PAGE_SIZE
    });
    let Some(first_too_many) = first_too_many
        .map(|first| first.max(1))
        .filter(|first| *first < page.len())
    else {
        return (page, next);
    };
    let next = page[first_too_many].number;
    page.truncate(first_too_many);
    (page, Some(next))
}

fn limit(given: Option<i64>) -> Result<usize, Refusal> {
    let Some(given) = given else {
        return Ok(LARGEST_PAGE);
    };
    let constraint = if given < 1 {
        "greater than or equal to 1"
    } else {
        "less than or equal to 10000"
    };
    usize::try_from(given)
        .ok()
        .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
        .ok_or_else(|| {
            invalid(format!(
                "1 validation error detected: Value '{given}' at 'limit' failed to satisfy constraint: Member must have \
                 value {constraint}"
            ))
        })
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal("InvalidParameterException", message.into())
}

impl Event {
    fn to_json(&self) -> Value {
        json!({
            "logStreamName": &*self.stream,
            "timestamp": self.timestamp,
            // Lambda's events end as lines do.
            "message": format!("{}\n", self.line),
            "ingestionTime": self.timestamp,
            "eventId": format!("{:056}", self.number),
        })
    }
}

fn error(kind: &str, message: &str) -> Response<Bytes> {
    response(
        StatusCode::BAD_REQUEST,
        &json!({"__type": kind, "message": message}),
    )
}

fn response(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-amz-json-1.1"),
    );
    if let Ok(id) = HeaderValue::try_from(uuid::Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> LogGroup {
        let group = LogGroup::default();
        for (stream, line) in [
            ("a", "START"),
            ("b", "START"),
            ("a", "REPORT x"),
            ("b", "REPORT y"),
        ] {
            group.add(&stream.into(), line);
        }
        group
    }

    fn found(group: &LogGroup, request: Value) -> Result<Value, Refusal> {
        events(group, &serde_json::from_value(request).unwrap())
    }

    fn messages(answer: &Value) -> Vec<&str> {
        let events = answer["events"].as_array().unwrap().iter();
        events.map(|event| event["message"].as_str().unwrap()).collect()
    }

    #[test]
    fn events_are_found_by_stream_pattern_and_time() {
        let group = group();
        let all = found(&group, json!({})).unwrap();
        assert_eq!(messages(&all), ["START\n", "START\n", "REPORT x\n", "REPORT y\n"]);
        assert!(all.get("nextToken").is_none());
        let first = &all["events"][0];
        assert_eq!(
            (&first["logStreamName"], &first["timestamp"]),
            (&json!("a"), &first["ingestionTime"])
        );
        let [now, time] = [
            jiff::Timestamp::now().as_millisecond(),
            first["timestamp"].as_i64().unwrap(),
        ];
        assert!((now - 60_000..=now).contains(&time));
        for (request, expected) in [
            (
                json!({"filterPattern": "REPORT", "logStreamNames": ["b"]}),
                vec!["REPORT y\n"],
            ),
            (
                json!({"filterPattern": "REPORT", "logStreamNamePrefix": "a"}),
                vec!["REPORT x\n"],
            ),
            (json!({"startTime": now + 60_000}), vec![]),
            (json!({"endTime": now - 60_000}), vec![]),
            (
                json!({"startTime": time, "filterPattern": "\"REPORT x\""}),
                vec!["REPORT x\n"],
            ),
        ] {
            let answer = found(&group, request.clone()).unwrap();
            assert_eq!(messages(&answer), expected, "{request}");
        }
    }

    #[test]
    fn a_token_leads_to_the_next_page() {
        let group = group();
        let mut request = json!({"limit": 3});
        let first = found(&group, request.clone()).unwrap();
        assert_eq!(messages(&first).len(), 3);
        request["nextToken"] = first["nextToken"].clone();
        let second = found(&group, request).unwrap();
        assert_eq!(messages(&second), ["REPORT y\n"]);
        assert!(second.get("nextToken").is_none());
    }

    #[test]
    fn a_page_has_a_megabyte_at_most() {
        let group = LogGroup::default();
        for _ in 0..3 {
            group.add(&"a".into(), &"x".repeat(600_000));
        }
        let first = found(&group, json!({})).unwrap();
        assert_eq!((messages(&first).len(), &first["nextToken"]), (1, &json!("1")));
    }

    #[test]
    fn what_cannot_be_searched_for_is_refused() {
        let group = group();
        for request in [
            json!({"limit": 0}),
            json!({"limit": 10_001}),
            json!({"filterPattern": "?a ?b"}),
            json!({"nextToken": "elsewhere"}),
            json!({"startFromHead": false}),
            json!({"logStreamNames": ["a"], "logStreamNamePrefix": "a"}),
        ] {
            let Refusal(kind, _) = found(&group, request.clone()).unwrap_err();
            assert_eq!(kind, "InvalidParameterException", "{request}");
        }
    }

    #[test]
    fn a_group_is_named_or_given_by_its_arn() {
        let arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f";
        for request in [
            json!({"logGroupName": "/aws/lambda/f"}),
            json!({"logGroupIdentifier": "/aws/lambda/f"}),
            json!({"logGroupIdentifier": arn}),
            json!({"logGroupIdentifier": format!("{arn}:*")}),
        ] {
            assert_eq!(group_name(&request), Some("/aws/lambda/f"), "{request}");
        }
        assert_eq!(group_name(&json!({})), None);
    }
}
