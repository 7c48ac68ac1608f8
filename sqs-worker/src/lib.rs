//! Variant 2, what its two functions share: the hand-over by a message to an SQS queue.

use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use lambda_runtime::Context;
use shared::{
    Dispatch, DispatchError, TaskMessage, async_trait,
    aws::{self, MissingSetting},
};

/// Hands over to whoever reads the queue.
#[derive(Clone, Debug)]
pub struct TaskQueue {
    /// The client through which the queue is reached.
    pub sqs: Client,
    /// The queue's address.
    pub url: String,
}

impl TaskQueue {
    /// The queue that the template names.
    ///
    /// # Errors
    ///
    /// It names none.
    pub fn on_aws(config: &SdkConfig) -> Result<Self, MissingSetting> {
        Ok(Self {
            sqs: Client::new(config),
            url: aws::setting("QUEUE_URL")?,
        })
    }
}

#[async_trait]
impl Dispatch for TaskQueue {
    async fn dispatch(&self, message: &TaskMessage, _invocation: &Context) -> Result<(), DispatchError> {
        let request = self.sqs.send_message().queue_url(&self.url);
        let sent = request.message_body(message.to_json()?).send().await;
        sent.map(drop).map_err(DispatchError::new)
    }
}
