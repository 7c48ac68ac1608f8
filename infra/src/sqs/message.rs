//! Messages: as they are sent, as a queue keeps them, and as they are received. What a message may contain is
//! checked in `validation`; where a message is in its life is the queue's affair.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use uuid::Uuid;

use super::digest;

/// The id that every message has as its `SenderId`. It is formed as that of an IAM user; the local cloud has
/// no users.
pub const SENDER_ID: &str = "AIDALOCALCLOUDSENDER1";

/// The message system attributes that a received message can have here, a part of those in
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>.
pub const SYSTEM_ATTRIBUTE_NAMES: [&str; 7] = [
    "ApproximateFirstReceiveTimestamp",
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
    "MessageGroupId",
    "SenderId",
    "SentTimestamp",
];

/// The name, type and value that a sender adds to a message.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, and a label of the sender's own after a period, if any.
    pub data_type: String,
    /// The value.
    pub value: AttributeValue,
}

/// The value of a message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// Of the types `String` and `Number`.
    Text(String),
    /// Of the type `Binary`.
    Binary(Bytes),
}

impl AttributeValue {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Message attributes by their names.
pub type MessageAttributes = BTreeMap<String, MessageAttribute>;

/// A message to be sent.
#[derive(Debug, Clone, Default)]
pub struct NewMessage {
    /// The body.
    pub body: String,
    /// The message attributes.
    pub attributes: MessageAttributes,
    /// The message system attribute `AWSTraceHeader`: an X-Ray trace header.
    pub trace_header: Option<String>,
    /// The message group, which a standard queue keeps and hands on.
    pub group_id: Option<String>,
    /// How long the message is hidden at first, 0–900 s; by default as long as the queue's attributes say.
    pub delay: Option<Duration>,
}

impl NewMessage {
    /// A message of nothing but a body.
    pub fn new(body: impl Into<String>) -> Self {
        Self {
            body: body.into(),
            ..Self::default()
        }
    }

    /// What counts towards the limit of a message's size: the bytes of the body and of the names, types and
    /// values of its attributes, but not of system attributes.
    pub fn size(&self) -> usize {
        let attribute_size = |(name, attribute): (&String, &MessageAttribute)| {
            name.len() + attribute.data_type.len() + attribute.value.len()
        };
        self.body.len() + self.attributes.iter().map(attribute_size).sum::<usize>()
    }
}

/// What SQS answers to a message that it accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// The id that the message has from now on.
    pub message_id: String,
    /// The MD5 of the body.
    pub md5_of_body: String,
    /// The MD5 of the message attributes, if there are any.
    pub md5_of_attributes: Option<String>,
    /// The MD5 of the message system attributes, if there are any.
    pub md5_of_system_attributes: Option<String>,
}

/// A message that a queue holds. It does not change while it waits, is received and becomes visible again.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// The MD5 of its body.
    pub md5_of_body: String,
    /// Its message attributes.
    pub attributes: MessageAttributes,
    /// Its X-Ray trace header.
    pub trace_header: Option<String>,
    /// Its message group.
    pub group_id: Option<String>,
    /// When it was sent, in milliseconds since the epoch.
    pub sent_timestamp: i64,
}

impl Message {
    /// The message that a queue makes of what was sent at `sent_timestamp`, in milliseconds since the epoch.
    pub(super) fn new(sent: NewMessage, sent_timestamp: i64) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            md5_of_body: digest::of_body(&sent.body),
            body: sent.body,
            attributes: sent.attributes,
            trace_header: sent.trace_header,
            group_id: sent.group_id,
            sent_timestamp,
        }
    }

    /// The same contents as a message of its own, with another id, sent at `sent_timestamp`.
    pub(super) fn sent_anew(&self, sent_timestamp: i64) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            sent_timestamp,
            ..self.clone()
        }
    }

    /// What its sender is told.
    pub(super) fn receipt(&self) -> SentMessage {
        let system_attributes = self.trace_header.iter().map(|header| {
            let value = AttributeValue::Text(header.clone());
            (
                "AWSTraceHeader".to_owned(),
                MessageAttribute {
                    data_type: "String".into(),
                    value,
                },
            )
        });
        SentMessage {
            message_id: self.id.clone(),
            md5_of_body: self.md5_of_body.clone(),
            md5_of_attributes: digest::of_attributes(&self.attributes),
            md5_of_system_attributes: digest::of_attributes(
                &system_attributes.collect::<MessageAttributes>(),
            ),
        }
    }
}

/// A message as one receive hands it out.
#[derive(Debug, Clone)]
pub struct ReceivedMessage {
    /// The message.
    pub message: Arc<Message>,
    /// What deletes it or changes its visibility timeout, until it is received again.
    pub receipt_handle: String,
    /// How often it has been received, this time included, in every queue that it was in.
    pub receive_count: u64,
    /// When it was received for the first time, in milliseconds since the epoch.
    pub first_receive_timestamp: i64,
    /// The queue that it was in before it came to this dead-letter queue.
    pub dead_letter_source_arn: Option<Arc<str>>,
}

impl ReceivedMessage {
    /// A system attribute as SQS writes it; none if it has no value or is not one of
    /// [`SYSTEM_ATTRIBUTE_NAMES`].
    pub fn system_attribute(&self, name: &str) -> Option<String> {
        match name {
            "ApproximateFirstReceiveTimestamp" => Some(self.first_receive_timestamp.to_string()),
            "ApproximateReceiveCount" => Some(self.receive_count.to_string()),
            "AWSTraceHeader" => self.message.trace_header.clone(),
            "DeadLetterQueueSourceArn" => self.dead_letter_source_arn.as_deref().map(str::to_owned),
            "MessageGroupId" => self.message.group_id.clone(),
            "SenderId" => Some(SENDER_ID.to_owned()),
            "SentTimestamp" => Some(self.message.sent_timestamp.to_string()),
            _ => None,
        }
    }

    /// Every system attribute that has a value, by its name.
    pub fn system_attributes(&self) -> BTreeMap<&'static str, String> {
        SYSTEM_ATTRIBUTE_NAMES
            .iter()
            .filter_map(|name| Some((*name, self.system_attribute(name)?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_counts_names_types_and_values_of_attributes_but_no_system_attributes() {
        let mut message = NewMessage::new("grüße");
        message.trace_header = Some("Root=1-5759e988-bd862e3fe1be46a994272793".into());
        let value = AttributeValue::Binary(Bytes::from_static(&[1, 2, 3]));
        message.attributes.insert(
            "seed".into(),
            MessageAttribute {
                data_type: "Binary".into(),
                value,
            },
        );
        assert_eq!(message.size(), 7 + 4 + 6 + 3);
    }

    #[test]
    fn a_sender_is_told_the_digest_of_the_trace_header() {
        let mut message = NewMessage::new("hello");
        message.trace_header = Some("Root=1-5759e988-bd862e3fe1be46a994272793".into());
        let receipt = Message::new(message, 0).receipt();
        assert_eq!(
            receipt.md5_of_system_attributes.unwrap(),
            "62a56dd927315f2b2e12832b84617ea5"
        );
        assert_eq!(receipt.md5_of_attributes, None);
    }
}
