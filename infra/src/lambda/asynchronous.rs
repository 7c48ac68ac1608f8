//! The queue of asynchronous invocations: accepted at once, handled later, tried again, given up at last
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
//!
//! AWS does not say how long an event waits in its queue before the first attempt; here it does not wait at all.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    Lambda,
    function::{Function, Throttled},
    invocation::{Invocation, Outcome},
};
use crate::sqs::{AttributeValue, MessageAttribute, MessageAttributes, NewMessage};

/// The waits before the first and the second retry after a function error.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// The shortest and the longest wait after a throttle.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// How much of an error message a dead letter carries, in bytes.
const ERROR_MESSAGE: usize = 1024;

/// An event that was accepted.
struct Event {
    function: Arc<Function>,
    invocation: Invocation,
    accepted: Instant,
    /// How many times the function was invoked with it.
    attempts: u32,
    last: Option<Outcome>,
}

/// How an event ended, in the words of a destination record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
}

/// Accepts the event and sees to it in the background.
pub(super) fn accept(lambda: &Lambda, function: Arc<Function>, invocation: Invocation) {
    let event = Event {
        function,
        invocation,
        accepted: Instant::now(),
        attempts: 0,
        last: None,
    };
    tokio::spawn(event.run(lambda.clone()));
}

impl Event {
    async fn run(mut self, lambda: Lambda) {
        let condition = if self.function.is_switched_off {
            Condition::EventAgeExceeded
        } else {
            self.attempt_until_settled(&lambda).await
        };
        self.retain(&lambda, condition);
    }

    async fn attempt_until_settled(&mut self, lambda: &Lambda) -> Condition {
        let configuration = self.function.asynchronous.clone();
        let mut back_off = BACK_OFF.0;
        loop {
            let wait = match self.attempt().await {
                Ok(true) => return Condition::Success,
                Ok(false) => {
                    // Between one and three attempts have been made.
                    let retry = self.attempts.saturating_sub(1);
                    if retry >= u32::from(configuration.maximum_retry_attempts) {
                        return Condition::RetriesExhausted;
                    }
                    RETRY_DELAYS[(retry as usize).min(1)]
                }
                Err(Throttled) => {
                    let wait = back_off;
                    back_off = BACK_OFF.1.min(back_off * 2);
                    wait
                }
            };
            sleep(lambda.clock().local(wait)).await;
            if lambda.clock().platform(self.accepted.elapsed()) > configuration.maximum_event_age {
                return Condition::EventAgeExceeded;
            }
        }
    }

    /// One attempt. Answers whether it succeeded.
    async fn attempt(&mut self) -> Result<bool, Throttled> {
        let receiver = self.function.invoke(self.invocation.clone())?;
        self.attempts += 1;
        let outcome = receiver.await.unwrap_or_else(|_| {
            Outcome::platform_error(
                &self.invocation.request_id,
                "Runtime.Unknown",
                "the environment is gone",
            )
        });
        let succeeded = outcome.function_error.is_none();
        self.last = Some(outcome);
        Ok(succeeded)
    }

    /// Sends the event where the function's configuration wants it
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).
    fn retain(&self, lambda: &Lambda, condition: Condition) {
        let destinations = &self.function.asynchronous;
        let destination = match condition {
            Condition::Success => &destinations.on_success,
            Condition::RetriesExhausted | Condition::EventAgeExceeded => &destinations.on_failure,
        };
        if let Some(arn) = destination {
            lambda.deliver(
                arn,
                NewMessage::new(self.destination_record(condition).to_string()),
            );
        }
        if let Some(arn) = self
            .function
            .dead_letter_target
            .as_ref()
            .filter(|_| condition != Condition::Success)
        {
            let body = String::from_utf8_lossy(&self.invocation.payload).into_owned();
            lambda.deliver(
                arn,
                NewMessage {
                    attributes: self.dead_letter_attributes(),
                    ..NewMessage::new(body)
                },
            );
        }
        if condition != Condition::Success {
            let name = &self.function.settings().name;
            let id = &self.invocation.request_id;
            eprintln!("infra: {name}: event {id} is given up: {}", condition.as_str());
        }
    }

    fn destination_record(&self, condition: Condition) -> Value {
        let request_payload = json_or_text(&self.invocation.payload);
        let function_arn = format!("{}:$LATEST", self.function.settings().arn);
        let mut record = json!({
            "version": "1.0",
            "timestamp": format!("{:.3}", jiff::Timestamp::now()),
            "requestContext": {
                "requestId": self.invocation.request_id,
                "functionArn": function_arn,
                "condition": condition.as_str(),
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": request_payload,
        });
        if let Some(outcome) = &self.last {
            let mut context = json!({"statusCode": 200, "executedVersion": "$LATEST"});
            if let Some(error) = outcome.function_error {
                context["functionError"] = json!(error);
            }
            record["responseContext"] = context;
            record["responsePayload"] = json_or_text(&outcome.payload);
        }
        record
    }

    fn dead_letter_attributes(&self) -> MessageAttributes {
        let error = self
            .last
            .as_ref()
            .map(|outcome| json_or_text(&outcome.payload))
            .unwrap_or_default();
        let mut message = error["errorMessage"].as_str().unwrap_or_default().to_owned();
        message.truncate(message.floor_char_boundary(ERROR_MESSAGE));
        let attribute = |data_type: &str, value: &str| MessageAttribute {
            data_type: data_type.to_owned(),
            value: AttributeValue::Text(value.to_owned()),
        };
        let mut attributes = MessageAttributes::from([
            (
                "RequestID".to_owned(),
                attribute("String", &self.invocation.request_id),
            ),
            ("ErrorCode".to_owned(), attribute("Number", "200")),
        ]);
        // SQS refuses an empty value.
        if !message.is_empty() {
            attributes.insert("ErrorMessage".to_owned(), attribute("String", &message));
        }
        attributes
    }
}

impl Condition {
    fn as_str(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
        }
    }
}

fn json_or_text(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}
