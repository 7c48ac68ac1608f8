//! The operations on queues as a whole: creating, finding, listing, purging, deleting and tagging them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    super::{Sqs, attributes::QueueAttributes, error::SqsError},
    Done, PageRequest, QueueRequest, find_queue,
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueueRequest {
    queue_name: Option<String>,
    attributes: Option<BTreeMap<String, String>>,
    #[serde(rename = "tags")]
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueueUrlAnswer {
    queue_url: String,
}

pub(super) fn create_queue(sqs: &Sqs, request: CreateQueueRequest) -> Result<QueueUrlAnswer, SqsError> {
    let attributes = request.attributes.unwrap_or_default();
    let attributes = attributes
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let queue = sqs.create_tagged_queue(
        request.queue_name.as_deref().unwrap_or_default(),
        QueueAttributes::parse(attributes)?,
        request.tags.unwrap_or_default(),
    )?;
    Ok(QueueUrlAnswer {
        queue_url: queue.url().to_owned(),
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueUrlRequest {
    queue_name: Option<String>,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

pub(super) fn get_queue_url(sqs: &Sqs, request: &GetQueueUrlRequest) -> Result<QueueUrlAnswer, SqsError> {
    let name = super::required("QueueName", request.queue_name.as_deref())?;
    let owned = request
        .owner
        .as_ref()
        .is_none_or(|owner| *owner == sqs.account.id);
    let queue = sqs
        .queue(name)
        .filter(|_| owned)
        .ok_or_else(SqsError::no_such_queue)?;
    Ok(QueueUrlAnswer {
        queue_url: queue.url().to_owned(),
    })
}

pub(super) fn delete_queue(sqs: &Sqs, request: &QueueRequest) -> Result<Done, SqsError> {
    sqs.delete_queue(find_queue(sqs, request.queue_url.as_deref())?.name())?;
    Ok(Done {})
}

pub(super) fn purge_queue(sqs: &Sqs, request: &QueueRequest) -> Result<Done, SqsError> {
    find_queue(sqs, request.queue_url.as_deref())?.purge()?;
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueuesRequest {
    queue_name_prefix: Option<String>,
    #[serde(flatten)]
    page: PageRequest,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueuesAnswer {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queue_urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn list_queues(sqs: &Sqs, request: &ListQueuesRequest) -> Result<ListQueuesAnswer, SqsError> {
    let prefix = request.queue_name_prefix.as_deref().unwrap_or_default();
    let queues = sqs.queues();
    let (queue_urls, next_token) = request
        .page
        .urls(queues.iter().filter(|queue| queue.name().starts_with(prefix)))?;
    Ok(ListQueuesAnswer {
        queue_urls,
        next_token,
    })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagQueueRequest {
    queue_url: Option<String>,
    tags: Option<BTreeMap<String, String>>,
}

pub(super) fn tag_queue(sqs: &Sqs, request: TagQueueRequest) -> Result<Done, SqsError> {
    let added = request.tags.ok_or_else(|| SqsError::missing_parameter("Tags"))?;
    find_queue(sqs, request.queue_url.as_deref())?.change_tags(|tags| tags.extend(added));
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagQueueRequest {
    queue_url: Option<String>,
    tag_keys: Option<Vec<String>>,
}

pub(super) fn untag_queue(sqs: &Sqs, request: &UntagQueueRequest) -> Result<Done, SqsError> {
    let removed = request
        .tag_keys
        .as_ref()
        .ok_or_else(|| SqsError::missing_parameter("TagKeys"))?;
    let queue = find_queue(sqs, request.queue_url.as_deref())?;
    queue.change_tags(|tags| tags.retain(|key, _| !removed.contains(key)));
    Ok(Done {})
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueueTagsAnswer {
    tags: BTreeMap<String, String>,
}

pub(super) fn list_queue_tags(sqs: &Sqs, request: &QueueRequest) -> Result<ListQueueTagsAnswer, SqsError> {
    Ok(ListQueueTagsAnswer {
        tags: find_queue(sqs, request.queue_url.as_deref())?.tags(),
    })
}
