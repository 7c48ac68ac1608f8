//! The operations on the attributes of a queue, those that are its state included.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    super::{Sqs, attributes::QueueAttributes, error::SqsError, queue::Queue},
    Done, find_queue,
};

const STATE_ATTRIBUTES: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

/// Attributes that a queue can have elsewhere: the local cloud knows their names, but has no values for them.
const FIFO_ATTRIBUTES: [&str; 4] = [
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoQueue",
    "FifoThroughputLimit",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueAttributesRequest {
    queue_url: Option<String>,
    attribute_names: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueAttributesAnswer {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
}

pub(super) fn get_queue_attributes(
    sqs: &Sqs,
    request: GetQueueAttributesRequest,
) -> Result<GetQueueAttributesAnswer, SqsError> {
    let queue = find_queue(sqs, request.queue_url.as_deref())?;
    let mut names = request.attribute_names.unwrap_or_default();
    if let Some(unknown) = names
        .iter()
        .find(|name| *name != "All" && !is_queue_attribute(name))
    {
        return Err(SqsError::unknown_attribute(unknown));
    }
    if names.iter().any(|name| name == "All") {
        names = QueueAttributes::names()
            .chain(STATE_ATTRIBUTES)
            .map(str::to_owned)
            .collect();
    }
    let set = queue.attributes();
    let value = |name: &str| state_attribute(&queue, name).or_else(|| set.value(name));
    let attributes = names
        .into_iter()
        .filter_map(|name| value(&name).map(|value| (name, value)))
        .collect();
    Ok(GetQueueAttributesAnswer { attributes })
}

/// Whether SQS has a queue attribute of that name.
pub(super) fn is_queue_attribute(name: &str) -> bool {
    QueueAttributes::names()
        .chain(STATE_ATTRIBUTES)
        .chain(FIFO_ATTRIBUTES)
        .any(|known| known == name)
}

/// An attribute that nobody sets.
fn state_attribute(queue: &Queue, name: &str) -> Option<String> {
    Some(match name {
        "ApproximateNumberOfMessages" => queue.counts().visible.to_string(),
        "ApproximateNumberOfMessagesDelayed" => queue.counts().delayed.to_string(),
        "ApproximateNumberOfMessagesNotVisible" => queue.counts().in_flight.to_string(),
        "CreatedTimestamp" => queue.timestamps().0.to_string(),
        "LastModifiedTimestamp" => queue.timestamps().1.to_string(),
        "QueueArn" => queue.arn().to_owned(),
        _ => return None,
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetQueueAttributesRequest {
    queue_url: Option<String>,
    attributes: Option<BTreeMap<String, String>>,
}

pub(super) fn set_queue_attributes(sqs: &Sqs, request: &SetQueueAttributesRequest) -> Result<Done, SqsError> {
    let queue = find_queue(sqs, request.queue_url.as_deref())?;
    let changes = request
        .attributes
        .as_ref()
        .ok_or_else(|| SqsError::missing_parameter("Attributes"))?;
    queue.set_attributes(
        changes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    )?;
    Ok(Done {})
}
