//! Variant 2, the API function: serves HTTP, and hands each task over by a message to an SQS queue.

use lambda_http::{Error, service_fn};
use shared::{Api, Worker, aws, logging};
use sqs_worker::TaskQueue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = aws::config().await?;
    let api = Api::new(Worker::on_aws(&config, TaskQueue::on_aws(&config)?)?);
    lambda_http::run(service_fn(|request| api.handle(request))).await
}
