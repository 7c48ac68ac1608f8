//! The operations on up to ten messages at once. The batch as a whole can be refused; otherwise every entry
//! succeeds or fails by itself.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html>

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{
    super::{
        Sqs,
        error::{ErrorCode, SqsError},
        message::NewMessage,
        validation::MAXIMUM_MESSAGE_SIZE,
    },
    Done, find_queue,
    message_json::{NewMessageJson, SentMessageJson},
    messages::{Deletion, VisibilityChange},
};

const MAXIMUM_ENTRIES: usize = 10;
const MAXIMUM_ID_LENGTH: usize = 80;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchRequest<T> {
    queue_url: Option<String>,
    entries: Option<Vec<Entry<T>>>,
}

#[derive(Debug, Deserialize)]
struct Entry<T> {
    #[serde(rename = "Id")]
    id: Option<String>,
    #[serde(flatten)]
    content: T,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct BatchAnswer<T> {
    successful: Vec<Success<T>>,
    failed: Vec<Failure>,
}

#[derive(Debug, Serialize)]
struct Success<T> {
    #[serde(rename = "Id")]
    id: String,
    #[serde(flatten)]
    result: T,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

pub(super) fn send_message_batch(
    sqs: &Sqs,
    trace_header: Option<&str>,
    request: BatchRequest<NewMessageJson>,
) -> Result<BatchAnswer<SentMessageJson>, SqsError> {
    let queue = find_queue(sqs, request.queue_url.as_deref())?;
    let entries = check_entries(request.entries)?;
    let messages: Vec<_> = entries
        .into_iter()
        .map(|(id, message)| (id, message.read(trace_header)))
        .collect();
    let size: usize = messages
        .iter()
        .flat_map(|(_, message)| message)
        .map(NewMessage::size)
        .sum();
    if size > MAXIMUM_MESSAGE_SIZE {
        let message = format!(
            "Batch requests cannot be longer than {MAXIMUM_MESSAGE_SIZE} bytes. You have sent {size} bytes."
        );
        return Err(SqsError::new(ErrorCode::BatchRequestTooLong, message));
    }
    Ok(run_each(messages, |message| Ok(queue.send(message?)?.into())))
}

pub(super) fn delete_message_batch(
    sqs: &Sqs,
    request: BatchRequest<Deletion>,
) -> Result<BatchAnswer<Done>, SqsError> {
    let queue = find_queue(sqs, request.queue_url.as_deref())?;
    Ok(run_each(check_entries(request.entries)?, |deletion| {
        deletion.run(&queue)
    }))
}

pub(super) fn change_message_visibility_batch(
    sqs: &Sqs,
    request: BatchRequest<VisibilityChange>,
) -> Result<BatchAnswer<Done>, SqsError> {
    let queue = find_queue(sqs, request.queue_url.as_deref())?;
    Ok(run_each(check_entries(request.entries)?, |change| {
        change.run(&queue)
    }))
}

/// The entries with their ids, unless the batch as a whole breaks a rule.
fn check_entries<T>(entries: Option<Vec<Entry<T>>>) -> Result<Vec<(String, T)>, SqsError> {
    let entries = entries.unwrap_or_default();
    if entries.is_empty() {
        let message = "There should be at least one entry in the request.";
        return Err(SqsError::new(ErrorCode::EmptyBatchRequest, message));
    }
    if entries.len() > MAXIMUM_ENTRIES {
        let message = format!(
            "Maximum number of entries per request are {MAXIMUM_ENTRIES}. You have sent {}.",
            entries.len()
        );
        return Err(SqsError::new(ErrorCode::TooManyEntriesInBatchRequest, message));
    }
    let mut ids = HashSet::new();
    for id in entries
        .iter()
        .map(|entry| entry.id.as_deref().unwrap_or_default())
    {
        if !is_entry_id(id) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
                           It can be at most 80 letters long.";
            return Err(SqsError::new(ErrorCode::InvalidBatchEntryId, message));
        }
        if !ids.insert(id) {
            return Err(SqsError::new(
                ErrorCode::BatchEntryIdsNotDistinct,
                format!("Id {id} repeated."),
            ));
        }
    }
    Ok(entries
        .into_iter()
        .map(|entry| (entry.id.unwrap_or_default(), entry.content))
        .collect())
}

fn is_entry_id(id: &str) -> bool {
    (1..=MAXIMUM_ID_LENGTH).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn run_each<T, R>(entries: Vec<(String, T)>, run: impl Fn(T) -> Result<R, SqsError>) -> BatchAnswer<R> {
    let mut answer = BatchAnswer {
        successful: Vec::new(),
        failed: Vec::new(),
    };
    for (id, content) in entries {
        match run(content) {
            Ok(result) => answer.successful.push(Success { id, result }),
            Err(error) => answer.failed.push(Failure {
                id,
                sender_fault: true,
                code: error.code().query_code(),
                message: error.message().to_owned(),
            }),
        }
    }
    answer
}
