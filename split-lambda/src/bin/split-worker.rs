//! Variant 3, the worker function: runs the task of each asynchronous invocation, and records those that were given up.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::value::{RawValue, to_raw_value};
use shared::{Worker, aws, event::Event, logging, queue::give_up_tasks};
use split_lambda::WorkerInvocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = aws::config().await?;
    // What is to be continued is handed over to this function itself.
    let hand_over = WorkerInvocation::new(&config, aws::setting("AWS_LAMBDA_FUNCTION_NAME")?);
    let worker = Worker::on_aws(&config, hand_over)?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        handle(&worker, event).await
    }))
    .await
}

async fn handle(worker: &Worker, event: LambdaEvent<Event>) -> Result<Box<RawValue>, Error> {
    let LambdaEvent { payload, context } = event;
    let response = match payload {
        Event::Task(message) => {
            worker.run(&message, &context).await?;
            to_raw_value(&())
        }
        Event::Queue(messages) => to_raw_value(&give_up_tasks(worker, &messages, &context).await),
        Event::Http(_) => return Err("the worker function serves no HTTP".into()),
    };
    Ok(response?)
}
