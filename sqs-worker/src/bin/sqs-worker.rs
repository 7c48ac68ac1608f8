//! Variant 2, the worker function: runs the tasks whose messages the event source mapping brings, and records those
//! that ended in the dead-letter queue.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::{
    DynamoStore, Worker, aws, logging,
    queue::{give_up_tasks, run_tasks},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let store = DynamoStore::new(&aws::config().await, aws::setting("TABLE_NAME")?);
    let worker = Worker::new(store);
    let dead_letters = aws::setting("DEAD_LETTER_QUEUE_ARN")?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        Ok::<_, Error>(handle(&worker, &dead_letters, event).await)
    }))
    .await
}

/// A batch comes from one queue: the tasks' own, or the one where they end that nobody could finish.
async fn handle(
    worker: &Worker<DynamoStore>,
    dead_letters: &str,
    event: LambdaEvent<SqsEvent>,
) -> SqsBatchResponse {
    let source = event
        .payload
        .records
        .first()
        .and_then(|message| message.event_source_arn.as_deref());
    if source == Some(dead_letters) {
        give_up_tasks(worker, &event.payload).await
    } else {
        run_tasks(worker, &event.payload, &event.context).await
    }
}
