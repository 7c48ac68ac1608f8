//! The operations on one message, and the one that receives some.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    super::{Sqs, error::SqsError, queue::Queue},
    Done, find_queue,
    message_json::{NewMessageJson, ReceivedMessageJson, Selection, SentMessageJson},
    required, seconds,
};

const MAXIMUM_MESSAGES: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessageRequest {
    queue_url: Option<String>,
    #[serde(flatten)]
    message: NewMessageJson,
}

pub(super) fn send_message(
    sqs: &Sqs,
    trace_header: Option<&str>,
    request: SendMessageRequest,
) -> Result<SentMessageJson, SqsError> {
    let queue = find_queue(sqs, request.queue_url.as_deref())?;
    Ok(queue.send(request.message.read(trace_header)?)?.into())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveMessageRequest {
    queue_url: Option<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    /// The deprecated name of the next one.
    attribute_names: Option<Vec<String>>,
    message_system_attribute_names: Option<Vec<String>>,
    message_attribute_names: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveMessageAnswer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<ReceivedMessageJson>,
}

pub(super) async fn receive_message(
    sqs: &Sqs,
    request: ReceiveMessageRequest,
) -> Result<ReceiveMessageAnswer, SqsError> {
    let queue = find_queue(sqs, request.queue_url.as_deref())?;
    let max = match request.max_number_of_messages.map(usize::try_from) {
        None => 1,
        Some(Ok(max @ 1..=MAXIMUM_MESSAGES)) => max,
        Some(_) => {
            let value = request.max_number_of_messages.unwrap_or_default();
            let reason = "Must be between 1 and 10, if provided.";
            return Err(SqsError::invalid_parameter("MaxNumberOfMessages", value, reason));
        }
    };
    let visibility = seconds("VisibilityTimeout", request.visibility_timeout, 43_200)?;
    let wait = seconds("WaitTimeSeconds", request.wait_time_seconds, 20)?
        .unwrap_or_else(|| queue.attributes().receive_message_wait_time());
    let system = [&request.attribute_names, &request.message_system_attribute_names];
    let selection = Selection::read(
        system.into_iter().flatten().flatten(),
        request.message_attribute_names,
    )?;
    let received = queue.receive(max, wait, visibility).await?;
    Ok(ReceiveMessageAnswer {
        messages: received
            .into_iter()
            .map(|message| selection.show(message))
            .collect(),
    })
}

/// A message that a receive handed out, to be deleted.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Deletion {
    receipt_handle: Option<String>,
}

impl Deletion {
    pub(super) fn run(&self, queue: &Queue) -> Result<Done, SqsError> {
        queue.delete(required("ReceiptHandle", self.receipt_handle.as_deref())?)?;
        Ok(Done {})
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMessageRequest {
    queue_url: Option<String>,
    #[serde(flatten)]
    deletion: Deletion,
}

pub(super) fn delete_message(sqs: &Sqs, request: &DeleteMessageRequest) -> Result<Done, SqsError> {
    request
        .deletion
        .run(&*find_queue(sqs, request.queue_url.as_deref())?)
}

/// A message that a receive handed out, and how long it is to be hidden from now on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VisibilityChange {
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

impl VisibilityChange {
    pub(super) fn run(&self, queue: &Queue) -> Result<Done, SqsError> {
        let receipt_handle = required("ReceiptHandle", self.receipt_handle.as_deref())?;
        let timeout: Option<Duration> = seconds("VisibilityTimeout", self.visibility_timeout, 43_200)?;
        let timeout = timeout.ok_or_else(|| SqsError::missing_parameter("VisibilityTimeout"))?;
        queue.change_visibility(receipt_handle, timeout)?;
        Ok(Done {})
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeMessageVisibilityRequest {
    queue_url: Option<String>,
    #[serde(flatten)]
    change: VisibilityChange,
}

pub(super) fn change_message_visibility(
    sqs: &Sqs,
    request: &ChangeMessageVisibilityRequest,
) -> Result<Done, SqsError> {
    request
        .change
        .run(&*find_queue(sqs, request.queue_url.as_deref())?)
}
