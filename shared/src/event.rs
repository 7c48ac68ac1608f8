//! What can invoke a function of this project, and how the kinds are told apart.
//!
//! A client decides on what stands inside an HTTP event, never on its top level: that is API Gateway's
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>). So an
//! event with a request context is HTTP whatever else it holds, and no client can forge a [`TaskMessage`].

use aws_lambda_events::sqs::SqsEvent;
use lambda_http::request::LambdaRequest;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;

use crate::TaskMessage;

/// An event, by its kind.
#[derive(Debug)]
pub enum Event {
    /// A request that came through API Gateway.
    Http(Box<LambdaRequest>),
    /// A task to run, sent by an asynchronous invocation.
    Task(TaskMessage),
    /// Messages from a queue, brought by an event source mapping.
    Queue(SqsEvent),
}

/// The top-level fields by which the kinds are told apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Marks<'a> {
    #[serde(borrow)]
    request_context: Option<&'a RawValue>,
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let marks: Marks = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        let event = match marks {
            Marks {
                request_context: Some(_),
                ..
            } => serde_json::from_str(raw.get()).map(Self::Http),
            Marks { records: Some(_), .. } => serde_json::from_str(raw.get()).map(Self::Queue),
            Marks { .. } => serde_json::from_str(raw.get()).map(Self::Task),
        };
        event.map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Record, TaskId, Timestamp};

    fn message() -> TaskMessage {
        TaskMessage::of(&Record::accept("sleep", serde_json::Map::new(), Timestamp::now()))
    }

    fn http_event() -> Value {
        json!({
            "version": "2.0", "routeKey": "ANY /tasks", "rawPath": "/tasks", "rawQueryString": "",
            "headers": {"content-type": "application/json"},
            "requestContext": {
                "accountId": "123456789012", "apiId": "api", "domainName": "localhost", "domainPrefix": "localhost",
                "http": {"method": "POST", "path": "/tasks", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                         "userAgent": "test"},
                "requestId": "id", "routeKey": "ANY /tasks", "stage": "$default",
                "time": "24/Nov/2026:16:00:00 +0000", "timeEpoch": 1_795_536_000_000_u64
            },
            "body": "{}", "isBase64Encoded": false
        })
    }

    #[test]
    fn the_internal_event_is_recognised() {
        let message = message();
        let event = serde_json::from_str(&message.to_json().unwrap()).unwrap();
        assert!(matches!(event, Event::Task(found) if found == message));
    }

    #[test]
    fn an_http_event_stays_http_even_if_it_carries_the_marks_of_the_internal_event() {
        let mut event = http_event();
        event["eventType"] = json!("run-task");
        event["taskId"] = json!(TaskId::random());
        assert!(matches!(serde_json::from_value(event).unwrap(), Event::Http(_)));
    }

    #[test]
    fn the_internal_event_in_a_request_body_stays_in_the_body() {
        let mut event = http_event();
        event["body"] = json!(message().to_json().unwrap());
        assert!(matches!(serde_json::from_value(event).unwrap(), Event::Http(_)));
    }

    #[test]
    fn messages_of_a_queue_are_recognised() {
        let event = json!({"Records": [{"messageId": "1", "body": "{}", "eventSource": "aws:sqs"}]});
        assert!(matches!(serde_json::from_value(event).unwrap(), Event::Queue(_)));
    }

    #[test]
    fn anything_else_is_refused() {
        for event in [
            json!({}),
            json!({"eventType": "other"}),
            json!([]),
            json!({"taskId": "1"}),
        ] {
            assert!(serde_json::from_value::<Event>(event.clone()).is_err(), "{event}");
        }
    }
}
