//! Variant 1: one function. It serves the HTTP API, hands each task to itself by an asynchronous invocation, and runs
//! what it was handed.

use aws_sdk_lambda::Client;
use lambda_http::{Adapter, Service};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::value::{RawValue, to_raw_value};
use shared::{
    Api, Dispatch, DispatchError, TaskMessage, Worker, async_trait, aws, dispatch::invoke_asynchronously,
    event::Event, logging, queue::give_up_tasks,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = aws::config().await?;
    let lambda = Client::new(&config);
    let worker = Worker::on_aws(&config, SelfInvocation { lambda })?;
    let api = Api::new(worker.clone());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        handle(&api, &worker, event).await
    }))
    .await
}

/// Serves a request, runs a task, or records that tasks were given up, as the event says.
async fn handle(api: &Api, worker: &Worker, event: LambdaEvent<Event>) -> Result<Box<RawValue>, Error> {
    let LambdaEvent { payload, context } = event;
    let response = match payload {
        Event::Http(request) => {
            let mut http = Adapter::from(service_fn(|request| api.handle(request)));
            to_raw_value(&http.call(LambdaEvent::new(*request, context)).await?)
        }
        Event::Task(message) => {
            worker.run(&message, &context).await?;
            to_raw_value(&())
        }
        Event::Queue(messages) => to_raw_value(&give_up_tasks(worker, &messages, &context).await),
    };
    Ok(response?)
}

/// Hands over to the function that is running, by the ARN of the present invocation: so no setting has to name it. Where that
/// has an alias in it, the template's permission has to have it too.
struct SelfInvocation {
    lambda: Client,
}

#[async_trait]
impl Dispatch for SelfInvocation {
    async fn dispatch(&self, message: &TaskMessage, invocation: &Context) -> Result<(), DispatchError> {
        invoke_asynchronously(&self.lambda, &invocation.invoked_function_arn, message).await
    }
}
