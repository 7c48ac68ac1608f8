//! Variant 2, the API function: serves HTTP, and hands each task over by a message to an SQS queue.

use aws_sdk_sqs::Client;
use lambda_http::service_fn;
use lambda_runtime::{Context, Error};
use shared::{Api, Dispatch, DispatchError, DynamoStore, TaskMessage, aws, logging};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = aws::config().await;
    let store = DynamoStore::new(&config, aws::setting("TABLE_NAME")?);
    let queue = TaskQueue {
        sqs: Client::new(&config),
        url: aws::setting("QUEUE_URL")?,
    };
    let api = Api::new(store, queue);
    lambda_http::run(service_fn(|request| api.handle(request))).await
}

/// Hands over to whoever reads the queue.
struct TaskQueue {
    sqs: Client,
    url: String,
}

impl Dispatch for TaskQueue {
    async fn dispatch(&self, message: &TaskMessage, _invocation: &Context) -> Result<(), DispatchError> {
        let body = message.to_json()?;
        self.sqs
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .send()
            .await
            .map_err(DispatchError::new)?;
        Ok(())
    }
}
