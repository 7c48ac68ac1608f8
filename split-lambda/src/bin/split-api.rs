//! Variant 3, the API function: serves HTTP, and hands each task to the worker function.

use lambda_http::{Error, service_fn};
use shared::{Api, Worker, aws, logging};
use split_lambda::WorkerInvocation;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = aws::config().await?;
    let hand_over = WorkerInvocation::new(&config, aws::setting("WORKER_FUNCTION")?);
    let api = Api::new(Worker::on_aws(&config, hand_over)?);
    lambda_http::run(service_fn(|request| api.handle(request))).await
}
