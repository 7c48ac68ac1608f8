//! The function self-invoke once more, in which one thing at a time can be changed by a Cargo feature: what the bench
//! `ablation` measures. It is a program of its own so that the product's crates carry none of this.

mod settings;

use aws_sdk_lambda::Client;
use lambda_http::{Adapter, Service};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use serde_json::value::{RawValue, to_raw_value};
use shared::{
    Api, Dispatch, DispatchError, TaskMessage, Worker, async_trait, dispatch::invoke_asynchronously,
    event::Event, logging, queue::give_up_tasks,
};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg_attr(feature = "multi-thread", tokio::main)]
#[cfg_attr(not(feature = "multi-thread"), tokio::main(flavor = "current_thread"))]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = settings::config().await?;
    let lambda = Client::new(&settings::for_one_client(&config)?);
    let worker = Worker::on_aws(&settings::for_one_client(&config)?, SelfInvocation { lambda })?;
    let api = Api::new(worker.clone());
    #[cfg(feature = "warm-up")]
    settings::warm_up(&config).await;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        handle(&api, &worker, event).await
    }))
    .await
}

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

struct SelfInvocation {
    lambda: Client,
}

#[async_trait]
impl Dispatch for SelfInvocation {
    async fn dispatch(&self, message: &TaskMessage, invocation: &Context) -> Result<(), DispatchError> {
        invoke_asynchronously(&self.lambda, &invocation.invoked_function_arn, message).await
    }
}
