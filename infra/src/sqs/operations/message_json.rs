//! How messages and their attributes are written in requests and answers.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    super::{
        digest,
        error::{ErrorCode, SqsError},
        message::{
            AttributeValue, MessageAttribute, NewMessage, ReceivedMessage, SYSTEM_ATTRIBUTE_NAMES,
            SentMessage,
        },
    },
    attributes::is_queue_attribute,
    seconds,
};

/// The attributes of messages in FIFO queues, which a message here never has.
const FIFO_SYSTEM_ATTRIBUTES: [&str; 2] = ["MessageDeduplicationId", "SequenceNumber"];

/// A message attribute in a request or an answer.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AttributeJson {
    #[serde(default)]
    data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    /// In base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
    #[serde(skip_serializing)]
    string_list_values: Option<Vec<String>>,
    #[serde(skip_serializing)]
    binary_list_values: Option<Vec<String>>,
}

impl AttributeJson {
    fn read(self, name: &str) -> Result<MessageAttribute, SqsError> {
        let is_given = |list: Option<Vec<String>>| list.is_some_and(|list| !list.is_empty());
        if is_given(self.string_list_values) || is_given(self.binary_list_values) {
            let message = format!("The message attribute '{name}' has list values, which are not supported.");
            return Err(SqsError::new(ErrorCode::UnsupportedOperation, message));
        }
        // A value of the other kind than the type's is no value, and no value is found to be empty by the
        // validation.
        let value = if self.data_type.split('.').next() == Some("Binary") {
            let bytes = BASE64_STANDARD
                .decode(self.binary_value.unwrap_or_default())
                .map_err(|_| {
                    let message =
                        format!("The binary value of the message attribute '{name}' is not base64.");
                    SqsError::new(ErrorCode::MalformedInput, message)
                })?;
            AttributeValue::Binary(bytes.into())
        } else {
            AttributeValue::Text(self.string_value.unwrap_or_default())
        };
        Ok(MessageAttribute {
            data_type: self.data_type,
            value,
        })
    }

    fn show(attribute: &MessageAttribute) -> Self {
        let mut shown = Self {
            data_type: attribute.data_type.clone(),
            ..Self::default()
        };
        match &attribute.value {
            AttributeValue::Text(text) => shown.string_value = Some(text.clone()),
            AttributeValue::Binary(bytes) => shown.binary_value = Some(BASE64_STANDARD.encode(bytes)),
        }
        shown
    }
}

/// A message in a request that sends it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NewMessageJson {
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    message_attributes: Option<BTreeMap<String, AttributeJson>>,
    message_system_attributes: Option<BTreeMap<String, AttributeJson>>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

impl NewMessageJson {
    /// The message that is to be sent, in the trace of its request where it has none of its own.
    pub(super) fn read(self, trace_header: Option<&str>) -> Result<NewMessage, SqsError> {
        if let Some(id) = self.message_deduplication_id {
            let reason = "The request includes a parameter that is not valid for this queue type.";
            return Err(SqsError::invalid_parameter("MessageDeduplicationId", id, reason));
        }
        let mut message = NewMessage::new(self.message_body.unwrap_or_default());
        message.delay = seconds("DelaySeconds", self.delay_seconds, 900)?;
        message.group_id = self.message_group_id;
        message.trace_header = trace_header.map(str::to_owned);
        for (name, attribute) in self.message_attributes.unwrap_or_default() {
            let attribute = attribute.read(&name)?;
            message.attributes.insert(name, attribute);
        }
        for (name, attribute) in self.message_system_attributes.unwrap_or_default() {
            message.trace_header = Some(read_trace_header(&name, attribute)?);
        }
        Ok(message)
    }
}

/// The one system attribute that a sender can set.
fn read_trace_header(name: &str, attribute: AttributeJson) -> Result<String, SqsError> {
    match attribute.read(name)? {
        MessageAttribute {
            data_type,
            value: AttributeValue::Text(header),
        } if name == "AWSTraceHeader" && data_type == "String" && !header.is_empty() => Ok(header),
        _ => {
            let message = format!(
                "The message system attribute '{name}' is invalid: it has to be AWSTraceHeader, of the type String."
            );
            Err(SqsError::new(ErrorCode::InvalidParameterValue, message))
        }
    }
}

/// The answer to a message that was accepted.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SentMessageJson {
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    md5_of_message_body: String,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_message_attributes: Option<String>,
    #[serde(
        rename = "MD5OfMessageSystemAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_message_system_attributes: Option<String>,
}

impl From<SentMessage> for SentMessageJson {
    fn from(sent: SentMessage) -> Self {
        Self {
            message_id: sent.message_id,
            md5_of_message_body: sent.md5_of_body,
            md5_of_message_attributes: sent.md5_of_attributes,
            md5_of_message_system_attributes: sent.md5_of_system_attributes,
        }
    }
}

/// A message in the answer to a receive.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceivedMessageJson {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    md5_of_message_attributes: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<String, AttributeJson>,
}

/// Which attributes a receive wants to see.
#[derive(Debug)]
pub(super) struct Selection {
    system: BTreeSet<&'static str>,
    message: Vec<String>,
}

impl Selection {
    /// Reads the names of system attributes and of message attributes that a request lists.
    pub(super) fn read<'a>(
        system: impl Iterator<Item = &'a String>,
        message: Option<Vec<String>>,
    ) -> Result<Self, SqsError> {
        let mut selected = BTreeSet::new();
        for name in system {
            if name == "All" {
                selected.extend(SYSTEM_ATTRIBUTE_NAMES);
            } else if let Some(known) = SYSTEM_ATTRIBUTE_NAMES.into_iter().find(|known| known == name) {
                selected.insert(known);
            } else if !is_queue_attribute(name) && !FIFO_SYSTEM_ATTRIBUTES.contains(&name.as_str()) {
                // The deprecated parameter, AttributeNames, has queue attributes among its values.
                return Err(SqsError::unknown_attribute(name));
            }
        }
        Ok(Self {
            system: selected,
            message: message.unwrap_or_default(),
        })
    }

    /// The message, with the attributes that are wanted; the digest is of those alone.
    pub(super) fn show(&self, received: ReceivedMessage) -> ReceivedMessageJson {
        let message = &received.message;
        let wanted = || message.attributes.iter().filter(|(name, _)| self.wants(name));
        let system_attribute = |name: &&'static str| Some((*name, received.system_attribute(name)?));
        ReceivedMessageJson {
            message_id: message.id.clone(),
            md5_of_body: message.md5_of_body.clone(),
            body: message.body.clone(),
            attributes: self.system.iter().filter_map(system_attribute).collect(),
            md5_of_message_attributes: digest::of_attributes(wanted()),
            message_attributes: wanted()
                .map(|(name, attribute)| (name.clone(), AttributeJson::show(attribute)))
                .collect(),
            receipt_handle: received.receipt_handle,
        }
    }

    fn wants(&self, attribute: &str) -> bool {
        self.message.iter().any(|name| match name.strip_suffix(".*") {
            Some(prefix) => attribute.starts_with(prefix),
            None => name == "All" || name == attribute,
        })
    }
}
