//! An internal extension works on after the response: the invocation ends only when the extension, too, asks for its
//! next event (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>). The task is bounded by the
//! function's timeout; there is no queue, and nobody tries again.

use aws_config::SdkConfig;
use baselines_with_tasks::{Accepted, extension::Extension, in_process};
use lambda_http::{Error, Request, RequestExt as _, service_fn};
use lambda_runtime::Context;
use shared::{Api, TaskMessage, Worker};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::warn;

pub(crate) async fn run(config: &SdkConfig) -> Result<(), Error> {
    let (hand_over, accepted) = in_process();
    let worker = Worker::on_aws(config, hand_over)?;
    let api = Api::new(worker.clone());
    let (handled, requests) = unbounded_channel();
    // Before the runtime asks for its first event, with which init ends.
    let extension = Extension::register("tasks").await?;
    let after_responses = AfterResponses {
        extension,
        worker,
        accepted,
        requests,
    };
    let service = service_fn(async |request: Request| {
        let invocation = request.lambda_context_ref().cloned().unwrap_or_default();
        let _handled = Handled(handled.clone(), invocation);
        api.handle(request).await
    });
    tokio::select! {
        ended = lambda_http::run(service) => ended,
        ended = after_responses.run() => ended,
    }
}

/// Tells the extension that a request was handled, whatever came of it: without this it would wait until the function's
/// timeout.
struct Handled(UnboundedSender<Context>, Context);

impl Drop for Handled {
    fn drop(&mut self) {
        // The extension is gone only when the function ends.
        let _ = self.0.send(std::mem::take(&mut self.1));
    }
}

/// The extension: runs what a request has handed over, once the request is handled.
struct AfterResponses {
    extension: Extension,
    worker: Worker,
    accepted: Accepted,
    requests: UnboundedReceiver<Context>,
}

impl AfterResponses {
    async fn run(mut self) -> Result<(), Error> {
        loop {
            self.extension.next().await?;
            let Some(invocation) = self.requests.recv().await else {
                return Ok(());
            };
            while let Some(message) = self.accepted.take() {
                self.work(&message, &invocation).await;
            }
        }
    }

    async fn work(&self, message: &TaskMessage, invocation: &Context) {
        if let Err(error) = self.worker.run(message, invocation).await {
            warn!(task_id = %message.task_id, %error, "the task is lost: nobody delivers it again");
        }
    }
}
