//! The API function that has nobody to hand over to: a task is run within its request, whatever the client prefers, until
//! API Gateway's 30 seconds are over. Beside the integration with the queue, where API Gateway accepts tasks and asks
//! nobody, it shows and cancels them.

use aws_config::SdkConfig;
use baselines_with_tasks::Nobody;
use lambda_http::{Error, Request, http::HeaderValue, service_fn};
use shared::{Api, Worker};

pub(crate) async fn run(config: &SdkConfig) -> Result<(), Error> {
    let api = Api::new(Worker::on_aws(config, Nobody)?);
    lambda_http::run(service_fn(|mut request: Request| {
        request
            .headers_mut()
            .insert("prefer", HeaderValue::from_static("wait"));
        api.handle(request)
    }))
    .await
}
