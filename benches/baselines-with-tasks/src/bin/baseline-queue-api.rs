//! The API function beside the integration with the queue: shows and cancels tasks. It accepts none; API Gateway does,
//! and asks nobody.

use baselines_with_tasks::Nobody;
use lambda_http::{Error, service_fn};
use shared::{Api, Worker, aws, logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = aws::config().await?;
    let api = Api::new(Worker::on_aws(&config, Nobody)?);
    lambda_http::run(service_fn(|request| api.handle(request))).await
}
