//! Variant 3, the worker function: runs the task of each asynchronous invocation, and records those that were given up.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::{RawValue, to_raw_value};
use shared::{DynamoStore, Worker, aws, event::Event, logging, queue::give_up_tasks};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let store = DynamoStore::new(&aws::config().await, aws::setting("TABLE_NAME")?);
    let worker = Worker::new(store);
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        handle(&worker, event).await
    }))
    .await
}

async fn handle(worker: &Worker<DynamoStore>, event: LambdaEvent<Event>) -> Result<Box<RawValue>, Error> {
    let response = match event.payload {
        Event::Task(message) => {
            worker.run(&message.task_id, &event.context).await?;
            to_raw_value(&())
        }
        Event::Queue(messages) => to_raw_value(&give_up_tasks(worker, &messages).await),
        Event::Http(_) => return Err("the worker function serves no HTTP".into()),
    };
    Ok(response?)
}
