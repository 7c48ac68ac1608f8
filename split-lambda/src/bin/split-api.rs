//! Variant 3, the API function: serves HTTP, and hands each task to the worker function by an asynchronous invocation.

use aws_sdk_lambda::Client;
use lambda_http::service_fn;
use lambda_runtime::{Context, Error};
use shared::{
    Api, Dispatch, DispatchError, DynamoStore, TaskMessage, aws, dispatch::invoke_asynchronously, logging,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = aws::config().await;
    let store = DynamoStore::new(&config, aws::setting("TABLE_NAME")?);
    let worker = WorkerInvocation {
        lambda: Client::new(&config),
        function: aws::setting("WORKER_FUNCTION")?,
    };
    let api = Api::new(store, worker);
    lambda_http::run(service_fn(|request| api.handle(request))).await
}

/// Hands over to the worker function.
struct WorkerInvocation {
    lambda: Client,
    function: String,
}

impl Dispatch for WorkerInvocation {
    async fn dispatch(&self, message: &TaskMessage, _invocation: &Context) -> Result<(), DispatchError> {
        invoke_asynchronously(&self.lambda, &self.function, message).await
    }
}
