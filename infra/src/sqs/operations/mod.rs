//! The operations of the API: their requests and answers, and what each does with the queues. There is a
//! module for the operations on queues, on attributes, on single messages, on batches and on dead letters.

mod attributes;
mod batches;
mod dead_letters;
mod message_json;
mod messages;
mod queues;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};

use super::{
    Sqs,
    error::{ErrorCode, SqsError},
    protocol::{parse, write},
    queue::Queue,
};

/// Runs the operation of that name and writes its answer.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html>
pub(super) async fn run(
    sqs: &Sqs,
    operation: &str,
    trace_header: Option<&str>,
    body: &[u8],
) -> Result<Vec<u8>, SqsError> {
    Ok(match operation {
        "ChangeMessageVisibility" => write(&messages::change_message_visibility(sqs, &parse(body)?)?),
        "ChangeMessageVisibilityBatch" => {
            write(&batches::change_message_visibility_batch(sqs, parse(body)?)?)
        }
        "CreateQueue" => write(&queues::create_queue(sqs, parse(body)?)?),
        "DeleteMessage" => write(&messages::delete_message(sqs, &parse(body)?)?),
        "DeleteMessageBatch" => write(&batches::delete_message_batch(sqs, parse(body)?)?),
        "DeleteQueue" => write(&queues::delete_queue(sqs, &parse(body)?)?),
        "GetQueueAttributes" => write(&attributes::get_queue_attributes(sqs, parse(body)?)?),
        "GetQueueUrl" => write(&queues::get_queue_url(sqs, &parse(body)?)?),
        "ListDeadLetterSourceQueues" => write(&dead_letters::list_sources(sqs, &parse(body)?)?),
        "ListQueueTags" => write(&queues::list_queue_tags(sqs, &parse(body)?)?),
        "ListQueues" => write(&queues::list_queues(sqs, &parse(body)?)?),
        "PurgeQueue" => write(&queues::purge_queue(sqs, &parse(body)?)?),
        "ReceiveMessage" => write(&messages::receive_message(sqs, parse(body)?).await?),
        "SendMessage" => write(&messages::send_message(sqs, trace_header, parse(body)?)?),
        "SendMessageBatch" => write(&batches::send_message_batch(sqs, trace_header, parse(body)?)?),
        "SetQueueAttributes" => write(&attributes::set_queue_attributes(sqs, &parse(body)?)?),
        "StartMessageMoveTask" => write(&dead_letters::start_message_move_task(sqs, &parse(body)?)?),
        "TagQueue" => write(&queues::tag_queue(sqs, parse(body)?)?),
        "UntagQueue" => write(&queues::untag_queue(sqs, &parse(body)?)?),
        "AddPermission" | "CancelMessageMoveTask" | "ListMessageMoveTasks" | "RemovePermission" => {
            let message = format!("{operation} is not supported by the local cloud.");
            return Err(SqsError::new(ErrorCode::UnsupportedOperation, message));
        }
        _ => {
            let message = format!("Amazon SQS has no operation \"{operation}\".");
            return Err(SqsError::new(ErrorCode::UnknownOperation, message));
        }
    })
}

/// A request that names a queue and nothing else.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueRequest {
    queue_url: Option<String>,
}

/// The answer of operations that have nothing to say.
#[derive(Debug, Serialize)]
struct Done {}

/// The queue that a request names by its URL. Where the URL is missing, SQS answers as if it were a wrong
/// one.
fn find_queue(sqs: &Sqs, url: Option<&str>) -> Result<Arc<Queue>, SqsError> {
    url.and_then(|url| sqs.queue_by_url(url))
        .ok_or_else(SqsError::no_such_queue)
}

/// A parameter that has to be there.
fn required<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, SqsError> {
    value.ok_or_else(|| SqsError::missing_parameter(name))
}

/// A parameter that is a number of seconds, `most` of them at most.
fn seconds(name: &str, value: Option<i64>, most: u64) -> Result<Option<Duration>, SqsError> {
    let Some(value) = value else { return Ok(None) };
    match u64::try_from(value) {
        Ok(seconds) if seconds <= most => Ok(Some(Duration::from_secs(seconds))),
        _ => {
            let reason = format!("Must be >= 0 and <= {most}, if provided.");
            Err(SqsError::invalid_parameter(name, value, &reason))
        }
    }
}

/// How a request asks for one page of a list of queues.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PageRequest {
    max_results: Option<i64>,
    next_token: Option<String>,
}

const MAXIMUM_RESULTS: usize = 1_000;

impl PageRequest {
    /// The URLs on the page, out of queues sorted by name, and the token of the next one, which SQS gives to
    /// those who ask with `MaxResults` alone. A token is the name of the last queue of the page before.
    fn urls<'a>(
        &self,
        queues: impl Iterator<Item = &'a Arc<Queue>>,
    ) -> Result<(Vec<String>, Option<String>), SqsError> {
        let max = match self.max_results.map(usize::try_from) {
            None => MAXIMUM_RESULTS,
            Some(Ok(max @ 1..=MAXIMUM_RESULTS)) => max,
            Some(_) => {
                let value = self.max_results.unwrap_or_default();
                let reason = "Must be between 1 and 1000, if provided.";
                return Err(SqsError::invalid_parameter("MaxResults", value, reason));
            }
        };
        let last_before = self.next_token.as_deref().map(read_token).transpose()?;
        let mut rest =
            queues.skip_while(|queue| last_before.as_deref().is_some_and(|last| queue.name() <= last));
        let page: Vec<_> = rest.by_ref().take(max).collect();
        let more = self.max_results.is_some() && rest.next().is_some();
        let token = page
            .last()
            .filter(|_| more)
            .map(|last| BASE64_STANDARD.encode(last.name()));
        Ok((
            page.into_iter().map(|queue| queue.url().to_owned()).collect(),
            token,
        ))
    }
}

fn read_token(token: &str) -> Result<String, SqsError> {
    let name = BASE64_STANDARD
        .decode(token)
        .ok()
        .and_then(|name| String::from_utf8(name).ok());
    name.ok_or_else(|| SqsError::invalid_parameter("NextToken", token, "It was not issued by Amazon SQS."))
}
