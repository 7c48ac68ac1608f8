//! Messages that an event source mapping brings: each is dealt with by itself, and the failed ones are reported, so
//! that only they are delivered again
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>).

use std::future::Future;

use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use lambda_runtime::Context;
use serde::Deserialize;
use tracing::warn;

use crate::{TaskMessage, Worker, logging::chain, worker::WorkerError};

/// Handles all messages of the batch at the same time. Answers which of them failed.
pub async fn for_each_message<'a, F, W>(event: &'a SqsEvent, handle: F) -> SqsBatchResponse
where
    F: Fn(&'a SqsMessage) -> W,
    W: Future<Output = Result<(), QueueError>>,
{
    let results = join_all(event.records.iter().map(|message| async {
        let Err(error) = handle(message).await else {
            return None;
        };
        warn!(
            message_id = message.message_id,
            error = chain(&error),
            "a message is left in the queue"
        );
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = message.message_id.clone().unwrap_or_default();
        Some(failure)
    }))
    .await;
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = results.into_iter().flatten().collect();
    response
}

/// Records as failed the tasks that the platform gave up on: the batch comes from a dead-letter queue, or from the
/// queue that is the `OnFailure` destination of asynchronous invocations.
pub async fn give_up_tasks(worker: &Worker, event: &SqsEvent, invocation: &Context) -> SqsBatchResponse {
    for_each_message(event, async |message| {
        let (task, reason) = given_up(body(message))?;
        worker.give_up(&task, &reason, invocation).await?;
        Ok(())
    })
    .await
}

/// A message could not be dealt with.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// It is not one of this project's.
    #[error("the message is not a task: {0}")]
    Foreign(#[from] serde_json::Error),
    /// Its task was not brought to an end.
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

/// What an `OnFailure` destination gets of an asynchronous invocation
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DestinationRecord {
    request_context: RequestContext,
    request_payload: TaskMessage,
    response_payload: Option<FunctionError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    condition: String,
    approximate_invoke_count: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionError {
    error_message: Option<String>,
}

/// The task of a message that was given up, and why.
fn given_up(body: &str) -> Result<(TaskMessage, String), serde_json::Error> {
    // A dead-letter queue has the message as it was sent.
    if let Ok(task) = serde_json::from_str(body) {
        return Ok((
            task,
            "its message was received as often as its queue allows and never dealt with".into(),
        ));
    }
    let record: DestinationRecord = serde_json::from_str(body)?;
    let RequestContext {
        condition,
        approximate_invoke_count,
    } = record.request_context;
    let last_error = record
        .response_payload
        .and_then(|error| error.error_message)
        .unwrap_or_default();
    let reason =
        format!("{condition} after {approximate_invoke_count} invocations; the last error: {last_error}");
    Ok((record.request_payload, reason))
}

/// The body of a message; every message has one.
pub fn body(message: &SqsMessage) -> &str {
    message.body.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        Record, Status, Store as _, Timestamp, dispatch::Notes, record::FailureCode, store::MemoryStore,
    };

    fn event(bodies: &[String]) -> SqsEvent {
        let records: Vec<_> = bodies
            .iter()
            .enumerate()
            .map(|(number, body)| json!({"messageId": number.to_string(), "body": body, "eventSource": "aws:sqs"}))
            .collect();
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    async fn give_up(store: &MemoryStore, bodies: &[String]) -> SqsBatchResponse {
        let worker = Worker::new(store.clone(), Notes::default());
        give_up_tasks(&worker, &event(bodies), &Context::default()).await
    }

    async fn accepted(store: &MemoryStore) -> Record {
        let record = Record::accept("sleep", serde_json::Map::new(), Timestamp::now());
        store.insert(&record, None).await.unwrap();
        record
    }

    #[tokio::test]
    async fn a_task_in_a_failure_queue_becomes_failed_with_the_reason() {
        let store = MemoryStore::default();
        let record = accepted(&store).await;
        let destination = json!({
            "version": "1.0", "timestamp": "2026-11-24T16:00:00.000Z",
            "requestContext": {"requestId": "r", "functionArn": "a", "condition": "RetriesExhausted",
                               "approximateInvokeCount": 3},
            "requestPayload": TaskMessage::of(&record),
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": "RequestId: r Error: Runtime exited with error: exit status 1"}
        });
        let response = give_up(&store, &[destination.to_string()]).await;
        assert!(response.batch_item_failures.is_empty());
        let failed = store.get(&record.id).await.unwrap().unwrap();
        let failure = failed.error.unwrap();
        assert_eq!(
            (failed.status, failure.code),
            (Status::Failed, FailureCode::GaveUp)
        );
        assert!(
            failure.message.contains("RetriesExhausted after 3 invocations"),
            "{}",
            failure.message
        );
    }

    #[tokio::test]
    async fn a_task_in_a_dead_letter_queue_becomes_failed() {
        let store = MemoryStore::default();
        let record = accepted(&store).await;
        let body = TaskMessage::of(&record).to_json().unwrap();
        give_up(&store, &[body]).await;
        assert_eq!(
            store.get(&record.id).await.unwrap().unwrap().status,
            Status::Failed
        );
    }

    #[tokio::test]
    async fn a_message_that_is_not_a_task_is_reported_and_the_others_are_dealt_with() {
        let store = MemoryStore::default();
        let record = accepted(&store).await;
        let bodies = ["{}".to_owned(), TaskMessage::of(&record).to_json().unwrap()];
        let response = give_up(&store, &bodies).await;
        let failures: Vec<_> = response
            .batch_item_failures
            .iter()
            .map(|failure| &failure.item_identifier)
            .collect();
        assert_eq!(failures, ["0"]);
        assert_eq!(
            store.get(&record.id).await.unwrap().unwrap().status,
            Status::Failed
        );
    }
}
