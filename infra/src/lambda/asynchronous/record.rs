//! What becomes known of an asynchronous invocation that is over: the record for a destination, the message for a
//! dead-letter queue (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).

use std::fmt;

use serde_json::{Value, json};

use super::super::{
    function::Rejection,
    invocation::{Invocation, Outcome},
};
use crate::sqs::{AttributeValue, MessageAttribute, MessageAttributes, NewMessage, is_message_character};

/// How much of an error message a dead letter carries, in bytes.
const ERROR_MESSAGE: usize = 1024;

/// How an event ended, in the words of a destination record. AWS's guide shows the first three only by example;
/// `ZeroReservedConcurrency` is known from <https://github.com/localstack/localstack>, and what a record says of a
/// recursive loop is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
    ZeroReservedConcurrency,
    RecursiveInvocation,
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variants are AWS's words.
        fmt::Debug::fmt(self, formatter)
    }
}

/// An event that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    /// The last invocation, whose trace header goes on with the record.
    pub(super) invocation: &'a Invocation,
    /// The function's unqualified ARN.
    pub(super) function_arn: &'a str,
    pub(super) condition: Condition,
    /// How many times the function was invoked.
    pub(super) attempts: u32,
    /// What the last attempt came to, if there was one.
    pub(super) last: Option<&'a Result<Outcome, Rejection>>,
}

impl Record<'_> {
    /// The message for a destination.
    pub(super) fn to_destination(self) -> NewMessage {
        self.message(self.document().to_string(), MessageAttributes::new())
    }

    /// The message for a dead-letter queue: the event as it is, and what is known of it in attributes.
    pub(super) fn to_dead_letter_queue(self) -> NewMessage {
        let body = String::from_utf8_lossy(&self.invocation.payload).into_owned();
        self.message(body, self.dead_letter_attributes())
    }

    fn message(self, body: String, attributes: MessageAttributes) -> NewMessage {
        let trace_header = Some(self.invocation.trace_id.clone());
        NewMessage {
            attributes,
            trace_header,
            ..NewMessage::new(body)
        }
    }

    fn document(self) -> Value {
        let mut document = json!({
            "version": "1.0",
            "timestamp": format!("{:.3}", jiff::Timestamp::now()),
            "requestContext": {
                "requestId": self.invocation.request_id,
                "functionArn": format!("{}:$LATEST", self.function_arn),
                "condition": self.condition.to_string(),
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": json_or_text(&self.invocation.payload),
        });
        if let Some(Ok(outcome)) = self.last {
            let mut context = json!({"statusCode": 200, "executedVersion": "$LATEST"});
            if let Some(error) = outcome.function_error {
                context["functionError"] = json!(error);
            }
            document["responseContext"] = context;
            document["responsePayload"] = json_or_text(&outcome.payload);
        }
        document
    }

    fn dead_letter_attributes(self) -> MessageAttributes {
        let attribute = |name: &str, data_type: &str, value: String| {
            let value = AttributeValue::Text(value);
            (
                name.to_owned(),
                MessageAttribute {
                    data_type: data_type.to_owned(),
                    value,
                },
            )
        };
        let mut attributes = MessageAttributes::from([attribute(
            "RequestID",
            "String",
            self.invocation.request_id.clone(),
        )]);
        if let Some((code, mut message)) = self.code_and_message() {
            attributes.extend([attribute("ErrorCode", "Number", code.to_string())]);
            message.truncate(message.floor_char_boundary(ERROR_MESSAGE));
            // SQS refuses some characters, and an empty value. What Lambda makes of them is not known; the event is not
            // lost for them here.
            let message = message.replace(|one| !is_message_character(one), "?");
            attributes.extend((!message.is_empty()).then(|| attribute("ErrorMessage", "String", message)));
        }
        attributes
    }

    /// The HTTP status of the last attempt, and its error message.
    fn code_and_message(self) -> Option<(u16, String)> {
        Some(match self.last? {
            Ok(outcome) => {
                let error = json_or_text(&outcome.payload);
                (200, error["errorMessage"].as_str().unwrap_or_default().to_owned())
            }
            Err(rejection @ Rejection::Throttled { .. }) => (429, rejection.to_string()),
            Err(rejection @ Rejection::Recursive) => (400, rejection.to_string()),
        })
    }
}

fn json_or_text(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::sqs::{QueueAttributes, Sqs};

    const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:my-function";

    fn record<'a>(
        invocation: &'a Invocation,
        condition: Condition,
        last: Option<&'a Result<Outcome, Rejection>>,
    ) -> Record<'a> {
        Record {
            invocation,
            function_arn: FUNCTION,
            condition,
            attempts: 3,
            last,
        }
    }

    fn text(attributes: &MessageAttributes, name: &str) -> Option<String> {
        match &attributes.get(name)?.value {
            AttributeValue::Text(text) => Some(text.clone()),
            AttributeValue::Binary(_) => None,
        }
    }

    /// The example record of the guide that the module names, but for the values that differ each time.
    #[test]
    fn a_record_has_the_documented_shape() {
        let invocation = Invocation::new(r#"{"ORDER_IDS": ["1"]}"#.into());
        let error = Ok(Outcome::error(r#"{"errorMessage": "no"}"#.into()));
        let message = record(&invocation, Condition::RetriesExhausted, Some(&error)).to_destination();
        let mut document: Value = serde_json::from_str(&message.body).unwrap();
        let timestamp = document["timestamp"].take();
        let timestamp = timestamp.as_str().unwrap();
        // As in 2019-11-14T18:16:05.568Z.
        assert_eq!(
            (timestamp.len(), &timestamp[19..20], &timestamp[23..]),
            (24, ".", "Z")
        );
        assert!(timestamp.parse::<jiff::Timestamp>().is_ok());
        let expected = json!({
            "version": "1.0",
            "timestamp": null,
            "requestContext": {
                "requestId": invocation.request_id,
                "functionArn": format!("{FUNCTION}:$LATEST"),
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": {"ORDER_IDS": ["1"]},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": "no"},
        });
        assert_eq!(document, expected);
        assert_eq!(message.trace_header, Some(invocation.trace_id));
    }

    proptest! {
        #[test]
        fn a_queue_takes_what_is_made_of_any_event_and_any_answer(
            event in any::<String>(),
            answer in prop_oneof![
                "[\\x00-\\x{ff}]{0,60}".prop_map(|text| json!({ "errorMessage": text }).to_string().into_bytes()),
                vec(any::<u8>(), 0..60),
            ],
            is_error in any::<bool>(),
        ) {
            let event = event.replace(|one| !is_message_character(one), "");
            let answer = String::from_utf8_lossy(&answer).replace(['\u{fffe}', '\u{ffff}'], "");
            let invocation = Invocation::new(json!(event).to_string().into());
            let outcome = if is_error { Outcome::error } else { Outcome::response };
            let last = Ok(outcome(answer.into()));
            let record = record(&invocation, Condition::RetriesExhausted, Some(&last));
            let sqs = Sqs::new("us-east-1", "123456789012", "http://localhost");
            let queue = sqs.create_queue("queue", QueueAttributes::default()).unwrap();
            let document: Value = serde_json::from_str(&record.to_destination().body).unwrap();
            prop_assert_eq!(&document["requestPayload"], &json!(event));
            for message in [record.to_destination(), record.to_dead_letter_queue()] {
                prop_assert!(queue.send(message.clone()).is_ok(), "{:?}", message);
            }
        }
    }

    #[test]
    fn an_event_that_never_ran_has_no_response() {
        let invocation = Invocation::new("1".into());
        let message = record(&invocation, Condition::ZeroReservedConcurrency, None).to_destination();
        let document: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(document["requestContext"]["condition"], "ZeroReservedConcurrency");
        assert!(document.get("responseContext").is_none() && document.get("responsePayload").is_none());
    }

    /// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq>
    #[test]
    fn a_dead_letter_is_the_event_with_the_error_in_attributes() {
        let invocation = Invocation::new(r#"{"a": 1}"#.into());
        let long = "ä".repeat(ERROR_MESSAGE);
        let error = Ok(Outcome::error(json!({"errorMessage": long}).to_string().into()));
        let letter = record(&invocation, Condition::RetriesExhausted, Some(&error)).to_dead_letter_queue();
        assert_eq!(letter.body, r#"{"a": 1}"#);
        assert_eq!(
            text(&letter.attributes, "RequestID"),
            Some(invocation.request_id.clone())
        );
        assert_eq!(text(&letter.attributes, "ErrorCode").as_deref(), Some("200"));
        assert_eq!(
            text(&letter.attributes, "ErrorMessage").unwrap().len(),
            ERROR_MESSAGE
        );

        let throttled = Err(Rejection::Throttled { is_reserved: true });
        let letter =
            record(&invocation, Condition::EventAgeExceeded, Some(&throttled)).to_dead_letter_queue();
        assert_eq!(text(&letter.attributes, "ErrorCode").as_deref(), Some("429"));
        assert_eq!(
            text(&letter.attributes, "ErrorMessage").as_deref(),
            Some("Rate Exceeded.")
        );
    }
}
