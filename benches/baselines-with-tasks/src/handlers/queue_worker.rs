//! The worker function behind the integration with the queue: the messages are the requests' bodies, as API Gateway put
//! them there. It makes the record that the other ways have from the start, under the id that SQS gave the message, and
//! runs the task.

use std::{convert::Infallible, time::Duration};

use aws_config::SdkConfig;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use baselines_with_tasks::Nobody;
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::{Map, Value};
use shared::{
    DynamoStore, Record, Store as _, TaskMessage, Timestamp, Worker, aws,
    queue::{QueueError, body, for_each_message},
    record::Failure,
    store::{IdempotencyKey, Inserted},
    tasks,
    worker::WorkerError,
};

pub(crate) async fn run(config: &SdkConfig) -> Result<(), Error> {
    let consumer = Consumer {
        store: DynamoStore::new(config, aws::setting("TABLE_NAME")?),
        worker: Worker::on_aws(config, Nobody)?,
    };
    lambda_runtime::run(service_fn(async |event| {
        Ok::<_, Infallible>(consumer.handle(event).await)
    }))
    .await
}

struct Consumer {
    store: DynamoStore,
    worker: Worker,
}

impl Consumer {
    async fn handle(&self, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
        let LambdaEvent { payload, context } = event;
        for_each_message(&payload, async |message| self.run(message, &context).await).await
    }

    /// Runs the task of a message, or goes on with it. One that has to be continued counts as not dealt with: the queue
    /// delivers it again.
    async fn run(&self, message: &SqsMessage, invocation: &Context) -> Result<(), QueueError> {
        let id = message.message_id.as_deref().unwrap_or_default();
        // The id is the key as well, so that a second delivery finds the record of the first.
        let key = IdempotencyKey {
            key: id.to_owned(),
            request: id.to_owned(),
        };
        let record = record_of(message, id)?;
        let inserted = self.store.insert(&record, Some(&key)).await;
        let record = match inserted.map_err(WorkerError::from)? {
            Inserted::Before(before) => *before,
            Inserted::New | Inserted::OtherRequest => record,
        };
        self.worker.run(&TaskMessage::of(&record), invocation).await?;
        Ok(())
    }
}

/// The record of a task that was accepted when its message was sent. What is no task has failed: its client was told that
/// it is accepted, and nobody had looked at it.
fn record_of(message: &SqsMessage, id: &str) -> Result<Record, serde_json::Error> {
    let accepted = |kind: &str, parameters| -> Result<Record, serde_json::Error> {
        Ok(Record {
            id: serde_json::from_value(id.into())?,
            ..Record::accept(kind, parameters, sent_at(message))
        })
    };
    match read(body(message)) {
        Ok((kind, parameters)) => accepted(&kind, parameters),
        Err(reason) => {
            Ok(accepted("invalid", Map::new())?.failed(Failure::of_task(reason), Timestamp::now()))
        }
    }
}

fn read(body: &str) -> Result<(String, Map<String, Value>), String> {
    let mut parameters: Map<String, Value> =
        serde_json::from_str(body).map_err(|error| format!("body: {error}"))?;
    let Some(Value::String(kind)) = parameters.remove("kind") else {
        return Err("kind is missing".to_owned());
    };
    tasks::parse(&kind, parameters.clone()).map_err(|error| error.to_string())?;
    Ok((kind, parameters))
}

/// When SQS took the message, to the millisecond
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>).
fn sent_at(message: &SqsMessage) -> Timestamp {
    let sent = message
        .attributes
        .get("SentTimestamp")
        .and_then(|sent| sent.parse().ok());
    sent.map_or_else(Timestamp::now, |sent| Timestamp::at(Duration::from_millis(sent)))
}
