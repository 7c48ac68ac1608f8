//! The operations on dead-letter queues: finding the queues that feed one, and moving its messages back.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    super::{
        Sqs,
        error::{ErrorCode, SqsError},
        queue::Queue,
    },
    PageRequest, find_queue, required,
};

const MAXIMUM_MESSAGES_PER_SECOND: i64 = 500;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListSourcesRequest {
    queue_url: Option<String>,
    #[serde(flatten)]
    page: PageRequest,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListSourcesAnswer {
    /// Written with a small letter, other than in `ListQueues`.
    #[serde(rename = "queueUrls")]
    queue_urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) fn list_sources(sqs: &Sqs, request: &ListSourcesRequest) -> Result<ListSourcesAnswer, SqsError> {
    let dead_letter_queue = find_queue(sqs, request.queue_url.as_deref())?;
    let queues = sqs.queues();
    let sources = queues
        .iter()
        .filter(|queue| feeds(queue, dead_letter_queue.arn()));
    let (queue_urls, next_token) = request.page.urls(sources)?;
    Ok(ListSourcesAnswer {
        queue_urls,
        next_token,
    })
}

fn feeds(queue: &Queue, dead_letter_arn: &str) -> bool {
    queue
        .attributes()
        .redrive_policy()
        .is_some_and(|policy| policy.dead_letter_target_arn == dead_letter_arn)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartMessageMoveTaskRequest {
    source_arn: Option<String>,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartMessageMoveTaskAnswer {
    task_handle: String,
}

/// Moves the messages that are visible in a dead-letter queue. Here the task is done when it is answered,
/// whatever the rate asked for.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>
pub(super) fn start_message_move_task(
    sqs: &Sqs,
    request: &StartMessageMoveTaskRequest,
) -> Result<StartMessageMoveTaskAnswer, SqsError> {
    let source_arn = required("SourceArn", request.source_arn.as_deref())?;
    let source = find_by_arn(sqs, "SourceArn", source_arn)?;
    let destination = request
        .destination_arn
        .as_deref()
        .map(|arn| find_by_arn(sqs, "DestinationArn", arn))
        .transpose()?;
    if let Some(rate) = request.max_number_of_messages_per_second
        && !(1..=MAXIMUM_MESSAGES_PER_SECOND).contains(&rate)
    {
        let reason = "Must be between 1 and 500, if provided.";
        return Err(SqsError::invalid_parameter(
            "MaxNumberOfMessagesPerSecond",
            rate,
            reason,
        ));
    }
    let queues = sqs.queues();
    if !queues.iter().any(|queue| feeds(queue, source_arn)) {
        let message = "Source queue must be configured as a Dead Letter Queue.";
        return Err(SqsError::new(ErrorCode::InvalidParameterValue, message));
    }
    let by_arn: BTreeMap<&str, &Queue> = queues.iter().map(|queue| (queue.arn(), &**queue)).collect();
    source.redrive(|origin| destination.as_deref().or_else(|| by_arn.get(origin?).copied()));
    let handle = json!({ "taskId": Uuid::new_v4().to_string(), "sourceArn": source_arn }).to_string();
    Ok(StartMessageMoveTaskAnswer {
        task_handle: BASE64_STANDARD.encode(handle),
    })
}

fn find_by_arn(sqs: &Sqs, parameter: &str, arn: &str) -> Result<Arc<Queue>, SqsError> {
    sqs.queue_by_arn(arn).ok_or_else(|| {
        let message = format!("The resource that you specified for the {parameter} parameter doesn't exist.");
        SqsError::new(ErrorCode::ResourceNotFound, message)
    })
}
