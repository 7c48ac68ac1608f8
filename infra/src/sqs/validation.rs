//! What a message may contain, and how large it may be.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>

use std::time::Duration;

use super::{
    error::{ErrorCode, SqsError},
    message::{AttributeValue, MessageAttribute, NewMessage},
};

/// The largest message, and the largest sum of the messages of one batch, in bytes: 1 MiB.
pub const MAXIMUM_MESSAGE_SIZE: usize = 1_048_576;

const MAXIMUM_ATTRIBUTES: usize = 10;
const MAXIMUM_ATTRIBUTE_NAME: usize = 256;
const MAXIMUM_DELAY: Duration = Duration::from_mins(15);
/// A quota of queues:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>.
const MAXIMUM_VISIBILITY_TIMEOUT: Duration = Duration::from_hours(12);

/// Checks a message that is to be sent to a queue whose messages have at most `maximum_size` bytes.
pub(super) fn check_message(message: &NewMessage, maximum_size: usize) -> Result<(), SqsError> {
    if message.body.is_empty() {
        return Err(SqsError::missing_parameter("MessageBody"));
    }
    if message.size() > maximum_size {
        let reason = format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {maximum_size} bytes."
        );
        return Err(SqsError::new(ErrorCode::InvalidParameterValue, reason));
    }
    if let Some(delay) = message.delay.filter(|delay| *delay > MAXIMUM_DELAY) {
        let reason = "DelaySeconds must be >= 0 and <= 900.";
        return Err(SqsError::invalid_parameter(
            "DelaySeconds",
            delay.as_secs(),
            reason,
        ));
    }
    check_characters(&message.body)?;
    check_attribute_count(message.attributes.len())?;
    message
        .attributes
        .iter()
        .try_for_each(|(name, attribute)| check_attribute(name, attribute))
}

/// Checks the visibility timeout that a receive or a change asks for.
pub(super) fn check_visibility_timeout(timeout: Duration) -> Result<(), SqsError> {
    if timeout > MAXIMUM_VISIBILITY_TIMEOUT {
        let reason = "Must be between 0 and 43200, if provided.";
        return Err(SqsError::invalid_parameter(
            "VisibilityTimeout",
            timeout.as_secs(),
            reason,
        ));
    }
    Ok(())
}

/// Checks that a message stays hidden for 12 hours at most from when it was received, `elapsed` ago.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>
pub(super) fn check_total_visibility_timeout(elapsed: Duration, timeout: Duration) -> Result<(), SqsError> {
    if elapsed + timeout > MAXIMUM_VISIBILITY_TIMEOUT {
        let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
        return Err(SqsError::invalid_parameter(
            "VisibilityTimeout",
            timeout.as_secs(),
            reason,
        ));
    }
    Ok(())
}

/// Whether a message may have it: the characters that XML 1.0 allows.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub(crate) fn is_message_character(character: char) -> bool {
    matches!(character,
        '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn check_characters(text: &str) -> Result<(), SqsError> {
    match text.chars().find(|character| !is_message_character(*character)) {
        None => Ok(()),
        Some(character) => {
            let message = format!(
                "Invalid binary character '#x{:X}' was found in the message.",
                u32::from(character)
            );
            Err(SqsError::new(ErrorCode::InvalidMessageContents, message))
        }
    }
}

fn check_attribute_count(count: usize) -> Result<(), SqsError> {
    if count > MAXIMUM_ATTRIBUTES {
        let message = format!(
            "Number of message attributes [{count}] exceeds the allowed maximum [{MAXIMUM_ATTRIBUTES}]."
        );
        return Err(SqsError::new(ErrorCode::InvalidParameterValue, message));
    }
    Ok(())
}

fn check_attribute(name: &str, attribute: &MessageAttribute) -> Result<(), SqsError> {
    let refuse = |reason: &str| {
        let message = format!("The message attribute '{name}' {reason}");
        Err(SqsError::new(ErrorCode::InvalidParameterValue, message))
    };
    if !is_attribute_name(name) {
        return refuse(
            "has an invalid name: see the documentation of message attributes for what it can be.",
        );
    }
    if attribute.data_type.len() > MAXIMUM_ATTRIBUTE_NAME {
        return refuse("has a type of more than 256 bytes.");
    }
    let base_type = attribute.data_type.split('.').next().unwrap_or_default();
    match (base_type, &attribute.value) {
        ("String" | "Number" | "Binary", value) if value.is_empty() => {
            refuse(&format!("must contain a non-empty value of type '{base_type}'."))
        }
        ("String", AttributeValue::Text(text)) => check_characters(text),
        ("Number", AttributeValue::Text(text)) if !is_number(text) => {
            refuse("has the type 'Number' and a value that is not a number.")
        }
        ("Number", AttributeValue::Text(_)) | ("Binary", AttributeValue::Binary(_)) => Ok(()),
        ("String" | "Number" | "Binary", _) => {
            refuse(&format!("must contain a non-empty value of type '{base_type}'."))
        }
        _ => refuse("has an invalid type: it must be String, Number or Binary, with or without a label."),
    }
}

/// The rules for names are in
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>.
fn is_attribute_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    !name.is_empty()
        && name.len() <= MAXIMUM_ATTRIBUTE_NAME
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.")
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_attribute(name: &str, data_type: &str, value: &str) -> NewMessage {
        let value = AttributeValue::Text(value.into());
        let attribute = MessageAttribute {
            data_type: data_type.into(),
            value,
        };
        NewMessage {
            attributes: [(name.into(), attribute)].into(),
            ..NewMessage::new("body")
        }
    }

    fn refusal(message: &NewMessage) -> Option<ErrorCode> {
        check_message(message, MAXIMUM_MESSAGE_SIZE)
            .err()
            .map(|error| error.code())
    }

    #[test]
    fn a_message_of_exactly_one_mebibyte_is_accepted_and_one_byte_more_is_not() {
        assert_eq!(refusal(&NewMessage::new("a".repeat(1_048_576))), None);
        assert_eq!(
            refusal(&NewMessage::new("a".repeat(1_048_577))),
            Some(ErrorCode::InvalidParameterValue)
        );

        let mut message = with_attribute("name", "String", "value");
        message.body = "a".repeat(1_048_576 - 4 - 6 - 5);
        assert_eq!(refusal(&message), None);
        message.body.push('a');
        assert_eq!(refusal(&message), Some(ErrorCode::InvalidParameterValue));
    }

    #[test]
    fn only_the_characters_of_xml_are_accepted() {
        assert_eq!(
            refusal(&NewMessage::new(
                "\t\n\r \u{D7FF}\u{E000}\u{FFFD}\u{10000}\u{10FFFF}"
            )),
            None
        );
        for character in ["\0", "\u{B}", "\u{1F}", "\u{FFFE}", "\u{FFFF}"] {
            let code = refusal(&NewMessage::new(format!("before {character} after")));
            assert_eq!(code, Some(ErrorCode::InvalidMessageContents), "{character:?}");
        }
    }

    #[test]
    fn an_empty_body_is_a_missing_one() {
        assert_eq!(refusal(&NewMessage::new("")), Some(ErrorCode::MissingParameter));
    }

    #[test]
    fn attribute_names_follow_the_documented_rules() {
        for name in ["a", "Trace_Id-2.x", "awsome", &"n".repeat(256)] {
            assert_eq!(refusal(&with_attribute(name, "String", "v")), None, "{name}");
        }
        for name in [
            "",
            ".a",
            "a.",
            "a..b",
            "a b",
            "ä",
            "AWS.x",
            "aws.x",
            "Amazon.x",
            &"n".repeat(257),
        ] {
            let code = refusal(&with_attribute(name, "String", "v"));
            assert_eq!(code, Some(ErrorCode::InvalidParameterValue), "{name}");
        }
    }

    #[test]
    fn attribute_values_have_to_be_of_their_type() {
        for (data_type, value) in [
            ("String", "x"),
            ("String.json", "{}"),
            ("Number", "-1.5e3"),
            ("Number.int", "7"),
        ] {
            assert_eq!(
                refusal(&with_attribute("n", data_type, value)),
                None,
                "{data_type} {value}"
            );
        }
        for (data_type, value) in [
            ("String", ""),
            ("Number", "seven"),
            ("Number", "inf"),
            ("Binary", "text"),
            ("Text", "x"),
            ("", "x"),
        ] {
            let code = refusal(&with_attribute("n", data_type, value));
            assert_eq!(
                code,
                Some(ErrorCode::InvalidParameterValue),
                "{data_type} {value}"
            );
        }
    }

    #[test]
    fn there_are_ten_attributes_at_most() {
        let mut message = NewMessage::new("body");
        for number in 0..11 {
            assert_eq!(refusal(&message), None, "{number} attributes");
            message
                .attributes
                .extend(with_attribute(&format!("n{number}"), "String", "v").attributes);
        }
        assert_eq!(refusal(&message), Some(ErrorCode::InvalidParameterValue));
    }

    #[test]
    fn a_delay_is_fifteen_minutes_at_most() {
        let delayed = |seconds| NewMessage {
            delay: Some(Duration::from_secs(seconds)),
            ..NewMessage::new("body")
        };
        assert_eq!(refusal(&delayed(900)), None);
        assert_eq!(refusal(&delayed(901)), Some(ErrorCode::InvalidParameterValue));
    }
}
