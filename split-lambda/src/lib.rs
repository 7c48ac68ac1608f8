//! Variant 3, what its two functions share: the hand-over by an asynchronous invocation of the worker function.

use aws_config::SdkConfig;
use aws_sdk_lambda::Client;
use lambda_runtime::Context;
use shared::{Dispatch, DispatchError, TaskMessage, async_trait, dispatch::invoke_asynchronously};

/// Hands over to the worker function.
#[derive(Debug)]
pub struct WorkerInvocation {
    lambda: Client,
    function: String,
}

impl WorkerInvocation {
    /// Hands over to the function of that name or ARN.
    pub fn new(config: &SdkConfig, function: String) -> Self {
        let lambda = Client::new(config);
        Self { lambda, function }
    }
}

#[async_trait]
impl Dispatch for WorkerInvocation {
    async fn dispatch(&self, message: &TaskMessage, _invocation: &Context) -> Result<(), DispatchError> {
        invoke_asynchronously(&self.lambda, &self.function, message).await
    }
}
