//! The redrive policy of a queue: after how many receives a message goes to which dead-letter queue.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use serde_json::Value;

use super::error::SqsError;

const MAXIMUM_RECEIVE_COUNT: u64 = 1_000;
/// What holds if the policy does not say:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>.
const DEFAULT_RECEIVE_COUNT: u64 = 10;

/// The queue attribute `RedrivePolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedrivePolicy {
    /// The dead-letter queue's ARN.
    pub dead_letter_target_arn: String,
    /// How many times a message is received from the queue before it is moved, 1–1,000.
    pub max_receive_count: u64,
}

impl RedrivePolicy {
    /// Reads a policy as the attribute has it: as a JSON object. `maxReceiveCount` is a number or a string.
    ///
    /// # Errors
    /// [`super::ErrorCode::InvalidParameterValue`] if it is not such an object or the count is out of range.
    pub fn parse(policy: &str) -> Result<Self, SqsError> {
        let refuse = |reason: &str| SqsError::invalid_parameter("RedrivePolicy", policy, reason);
        let parsed: Value = serde_json::from_str(policy).map_err(|_| refuse("It is not valid JSON."))?;
        if !parsed.is_object() {
            return Err(refuse("It is not a JSON object."));
        }
        let Some(dead_letter_target_arn) = parsed["deadLetterTargetArn"].as_str() else {
            return Err(refuse(
                "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.",
            ));
        };
        let max_receive_count = match &parsed["maxReceiveCount"] {
            Value::Null => Some(DEFAULT_RECEIVE_COUNT),
            Value::String(count) => count.parse().ok(),
            count => count.as_u64(),
        };
        match max_receive_count {
            Some(max_receive_count @ 1..=MAXIMUM_RECEIVE_COUNT) => Ok(Self {
                dead_letter_target_arn: dead_letter_target_arn.to_owned(),
                max_receive_count,
            }),
            _ => Err(refuse(
                "Invalid value for maxReceiveCount. It must be a whole number from 1 to 1000.",
            )),
        }
    }

    /// The policy as SQS answers it.
    pub fn to_json(&self) -> String {
        serde_json::json!({
            "deadLetterTargetArn": self.dead_letter_target_arn,
            "maxReceiveCount": self.max_receive_count,
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:sqs:eu-west-1:000000000000:dead";

    fn parsed_count(count: &str) -> Option<u64> {
        let policy = format!(r#"{{"deadLetterTargetArn":"{ARN}","maxReceiveCount":{count}}}"#);
        RedrivePolicy::parse(&policy)
            .ok()
            .map(|policy| policy.max_receive_count)
    }

    #[test]
    fn the_count_is_a_number_or_a_string() {
        assert_eq!(parsed_count("5"), Some(5));
        assert_eq!(parsed_count("\"5\""), Some(5));
        assert_eq!(parsed_count("1000"), Some(1_000));
    }

    #[test]
    fn a_count_out_of_range_is_refused() {
        for count in ["0", "1001", "-1", "2.5", "\"\"", "\"many\"", "true", "[]"] {
            assert_eq!(parsed_count(count), None, "{count}");
        }
    }

    #[test]
    fn a_missing_count_is_the_documented_ten() {
        let policy = RedrivePolicy::parse(&format!(r#"{{"deadLetterTargetArn":"{ARN}"}}"#)).unwrap();
        assert_eq!(policy.max_receive_count, 10);
        assert_eq!(
            policy.to_json(),
            format!(r#"{{"deadLetterTargetArn":"{ARN}","maxReceiveCount":10}}"#)
        );
    }

    #[test]
    fn what_names_no_dead_letter_queue_is_refused() {
        for policy in ["", "{", "[]", "\"x\"", "{}", r#"{"deadLetterTargetArn":7}"#] {
            assert!(RedrivePolicy::parse(policy).is_err(), "{policy}");
        }
    }
}
