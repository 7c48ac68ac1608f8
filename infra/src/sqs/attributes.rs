//! The attributes of a queue: which there are, what each can be, and what holds where none was set.
//! Attributes that are the queue's state, such as the number of its messages, are with the operation that
//! answers them.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>

use std::{collections::BTreeMap, time::Duration};

use super::{
    error::{ErrorCode, SqsError},
    redrive_policy::RedrivePolicy,
};

/// An attribute that is a whole number within limits.
struct NumberAttribute {
    name: &'static str,
    least: u32,
    most: u32,
    default: u32,
}

const DELAY_SECONDS: NumberAttribute = NumberAttribute {
    name: "DelaySeconds",
    least: 0,
    most: 900,
    default: 0,
};
const MAXIMUM_MESSAGE_SIZE: NumberAttribute = NumberAttribute {
    name: "MaximumMessageSize",
    least: 1_024,
    most: 1_048_576,
    default: 1_048_576,
};
const MESSAGE_RETENTION_PERIOD: NumberAttribute = NumberAttribute {
    name: "MessageRetentionPeriod",
    least: 60,
    most: 1_209_600,
    default: 345_600,
};
const RECEIVE_MESSAGE_WAIT_TIME: NumberAttribute = NumberAttribute {
    name: "ReceiveMessageWaitTimeSeconds",
    least: 0,
    most: 20,
    default: 0,
};
const VISIBILITY_TIMEOUT: NumberAttribute = NumberAttribute {
    name: "VisibilityTimeout",
    least: 0,
    most: 43_200,
    default: 30,
};

const NUMBER_ATTRIBUTES: [&NumberAttribute; 5] = [
    &DELAY_SECONDS,
    &MAXIMUM_MESSAGE_SIZE,
    &MESSAGE_RETENTION_PERIOD,
    &RECEIVE_MESSAGE_WAIT_TIME,
    &VISIBILITY_TIMEOUT,
];

/// Attributes that are kept and answered, and have no effect: the local cloud neither checks permissions nor
/// encrypts.
const KEPT_ATTRIBUTES: [&str; 5] = [
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "Policy",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
];

const REDRIVE_POLICY: &str = "RedrivePolicy";

/// The attributes that were set on a queue, or are to be; for all others the defaults hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueAttributes {
    numbers: BTreeMap<&'static str, u32>,
    kept: BTreeMap<&'static str, String>,
    redrive_policy: Option<RedrivePolicy>,
}

impl QueueAttributes {
    /// Reads attributes as they are in a request: every value a string, numbers and JSON objects too.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidAttributeName`] for an attribute that does not exist or cannot be set,
    /// [`ErrorCode::InvalidAttributeValue`] or [`ErrorCode::InvalidParameterValue`] for a value out of its
    /// range.
    pub fn parse<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, SqsError> {
        let mut parsed = Self::default();
        for (name, value) in attributes {
            parsed.set(name, value)?;
        }
        Ok(parsed)
    }

    /// Sets one attribute. An empty value puts an attribute other than a number back to its default.
    ///
    /// # Errors
    /// As [`QueueAttributes::parse`].
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), SqsError> {
        if let Some(attribute) = NUMBER_ATTRIBUTES
            .into_iter()
            .find(|attribute| attribute.name == name)
        {
            self.numbers.insert(attribute.name, attribute.parse(value)?);
        } else if let Some(name) = KEPT_ATTRIBUTES.into_iter().find(|kept| *kept == name) {
            match value {
                "" => self.kept.remove(name),
                _ => self.kept.insert(name, value.to_owned()),
            };
        } else if name == REDRIVE_POLICY {
            self.redrive_policy = if value.is_empty() {
                None
            } else {
                Some(RedrivePolicy::parse(value)?)
            };
        } else if name == "FifoQueue" && value == "true" {
            return Err(SqsError::fifo_not_supported());
        } else {
            return Err(SqsError::unknown_attribute(name));
        }
        Ok(())
    }

    /// An attribute that can be set, as SQS answers it; none if it has neither a value nor a default.
    pub fn value(&self, name: &str) -> Option<String> {
        if let Some(attribute) = NUMBER_ATTRIBUTES
            .into_iter()
            .find(|attribute| attribute.name == name)
        {
            return Some(self.number(attribute).to_string());
        }
        match (name, self.kept.get(name)) {
            (REDRIVE_POLICY, _) => self.redrive_policy.as_ref().map(RedrivePolicy::to_json),
            (_, Some(value)) => Some(value.clone()),
            ("SqsManagedSseEnabled", None) => Some("true".to_owned()),
            _ => None,
        }
    }

    /// The name of an attribute that is set here and has another value there.
    pub(super) fn first_difference(&self, other: &Self) -> Option<&'static str> {
        let mut names = self.numbers.keys().chain(self.kept.keys()).copied();
        let redrive_policy = self.redrive_policy.as_ref().map(|_| REDRIVE_POLICY);
        names
            .by_ref()
            .chain(redrive_policy)
            .find(|name| self.value(name) != other.value(name))
    }

    /// How long a message is hidden after it was sent.
    pub fn delay(&self) -> Duration {
        self.seconds(&DELAY_SECONDS)
    }

    /// The largest message, in bytes.
    pub fn maximum_message_size(&self) -> usize {
        // At most 1 MiB, which a usize holds on every machine that this runs on.
        usize::try_from(self.number(&MAXIMUM_MESSAGE_SIZE)).unwrap_or(usize::MAX)
    }

    /// How long a message is kept.
    pub fn message_retention_period(&self) -> Duration {
        self.seconds(&MESSAGE_RETENTION_PERIOD)
    }

    /// How long a receive waits for a message if it does not say so itself.
    pub fn receive_message_wait_time(&self) -> Duration {
        self.seconds(&RECEIVE_MESSAGE_WAIT_TIME)
    }

    /// How long a received message is hidden if the receive does not say so itself.
    pub fn visibility_timeout(&self) -> Duration {
        self.seconds(&VISIBILITY_TIMEOUT)
    }

    /// Where messages go that were received too often.
    pub fn redrive_policy(&self) -> Option<&RedrivePolicy> {
        self.redrive_policy.as_ref()
    }

    /// The names of all attributes that can be set.
    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        NUMBER_ATTRIBUTES
            .into_iter()
            .map(|attribute| attribute.name)
            .chain(KEPT_ATTRIBUTES)
            .chain([REDRIVE_POLICY])
    }

    fn seconds(&self, attribute: &NumberAttribute) -> Duration {
        Duration::from_secs(self.number(attribute).into())
    }

    fn number(&self, attribute: &NumberAttribute) -> u32 {
        self.numbers
            .get(attribute.name)
            .copied()
            .unwrap_or(attribute.default)
    }
}

impl NumberAttribute {
    fn parse(&self, value: &str) -> Result<u32, SqsError> {
        let within = |number: &u32| (self.least..=self.most).contains(number);
        value.parse().ok().filter(within).ok_or_else(|| {
            let message = format!(
                "Invalid value for the parameter {}. It must be a whole number from {} to {}.",
                self.name, self.least, self.most
            );
            SqsError::new(ErrorCode::InvalidAttributeValue, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str, value: &str) -> Option<ErrorCode> {
        QueueAttributes::default()
            .set(name, value)
            .err()
            .map(|error| error.code())
    }

    #[test]
    fn what_is_not_set_has_the_documented_default() {
        let attributes = QueueAttributes::default();
        assert_eq!(attributes.delay(), Duration::ZERO);
        assert_eq!(attributes.maximum_message_size(), 1_048_576);
        assert_eq!(attributes.message_retention_period(), Duration::from_hours(96));
        assert_eq!(attributes.receive_message_wait_time(), Duration::ZERO);
        assert_eq!(attributes.visibility_timeout(), Duration::from_secs(30));
        assert_eq!(attributes.redrive_policy(), None);
        assert_eq!(attributes.value("VisibilityTimeout").as_deref(), Some("30"));
        assert_eq!(attributes.value("Policy"), None);
    }

    #[test]
    fn numbers_are_accepted_within_their_limits_alone() {
        let limits = [
            ("DelaySeconds", 0, 900),
            ("MaximumMessageSize", 1_024, 1_048_576),
            ("MessageRetentionPeriod", 60, 1_209_600),
            ("ReceiveMessageWaitTimeSeconds", 0, 20),
            ("VisibilityTimeout", 0, 43_200),
        ];
        for (name, least, most) in limits {
            assert_eq!(refusal(name, &least.to_string()), None, "{name}");
            assert_eq!(refusal(name, &most.to_string()), None, "{name}");
            for outside in [
                (least - 1).to_string(),
                (most + 1).to_string(),
                "1.5".into(),
                "x".into(),
                String::new(),
            ] {
                assert_eq!(
                    refusal(name, &outside),
                    Some(ErrorCode::InvalidAttributeValue),
                    "{name} {outside}"
                );
            }
        }
    }

    #[test]
    fn attributes_that_do_not_exist_or_cannot_be_set_are_refused() {
        for name in [
            "NoSuchAttribute",
            "QueueArn",
            "CreatedTimestamp",
            "ContentBasedDeduplication",
        ] {
            assert_eq!(
                refusal(name, "1"),
                Some(ErrorCode::InvalidAttributeName),
                "{name}"
            );
        }
    }

    #[test]
    fn a_fifo_queue_is_refused_as_not_supported() {
        let error = QueueAttributes::parse([("FifoQueue", "true")]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidParameterValue);
        assert!(error.message().contains("not supported by the local cloud"));
    }

    #[test]
    fn an_empty_value_removes_a_policy() {
        let policy =
            r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":3}"#;
        let mut attributes =
            QueueAttributes::parse([("RedrivePolicy", policy), ("Policy", "{}"), ("DelaySeconds", "5")])
                .unwrap();
        attributes.set("RedrivePolicy", "").unwrap();
        attributes.set("Policy", "").unwrap();
        assert_eq!(
            attributes,
            QueueAttributes::parse([("DelaySeconds", "5")]).unwrap()
        );
    }

    #[test]
    fn only_what_is_set_is_compared() {
        let existing = QueueAttributes::parse([("DelaySeconds", "5"), ("VisibilityTimeout", "90")]).unwrap();
        let difference = |name, value| {
            QueueAttributes::parse([(name, value)])
                .unwrap()
                .first_difference(&existing)
        };
        assert_eq!(QueueAttributes::default().first_difference(&existing), None);
        assert_eq!(difference("VisibilityTimeout", "90"), None);
        assert_eq!(difference("VisibilityTimeout", "30"), Some("VisibilityTimeout"));
        assert_eq!(
            difference("MessageRetentionPeriod", "345600"),
            None,
            "the default was in force already"
        );
        assert_eq!(difference("Policy", "{}"), Some("Policy"));
    }
}
