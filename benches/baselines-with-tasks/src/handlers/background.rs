//! What does not help: the task is spawned in the process of the function, and the request answered. With the answer the
//! invocation is over and the environment frozen; the task goes on only while later requests thaw it.

use aws_config::SdkConfig;
use baselines_with_tasks::{in_process, time_for_a_task};
use lambda_http::{Error, service_fn};
use shared::{Api, Worker};

pub(crate) async fn run(config: &SdkConfig) -> Result<(), Error> {
    let (hand_over, accepted) = in_process();
    let worker = Worker::on_aws(config, hand_over)?;
    tokio::spawn(accepted.run(worker.clone(), time_for_a_task()?));
    let api = Api::new(worker);
    lambda_http::run(service_fn(|request| api.handle(request))).await
}
