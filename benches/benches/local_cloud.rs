//! The local cloud itself, as any client of AWS meets it, through the SDK: a warm Invoke of the function that does
//! nothing, and a message from its being sent to its being received. What it adds to every measurement is in these.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;
use benches::aws::Aws;
use benches::client::TaskApi;
use benches::deployment::Scene;
use benches::event;
use benches::target::Target;
use benches::variant::Variant;
use criterion::Criterion;
use jiff::Timestamp;
use tokio::runtime::Runtime;

mod common;

fn main() -> Result<()> {
    if common::is_wanted() {
        let mut criterion = Criterion::default().configure_from_args();
        local_cloud(&mut criterion, &Runtime::new()?);
        criterion.final_summary();
    }
    Ok(())
}

fn local_cloud(criterion: &mut Criterion, runtime: &Runtime) {
    let mut deployment = common::LazyDeployment::new(runtime, Variant::Noop, Scene::default());
    let mut group = criterion.benchmark_group("local_cloud");
    group.sample_size(50);
    group.bench_function("invoke", |bencher| {
        let target = &deployment.target();
        let event = &event::post_tasks(&TaskApi::empty_task(), Timestamp::now());
        bencher
            .to_async(runtime)
            .iter(async || common::measured(invoke(target, event).await));
    });
    group.bench_function("send_to_receive", |bencher| {
        let aws = &deployment.target().aws;
        let queue = &common::measured(runtime.block_on(Queue::create(aws)));
        bencher
            .to_async(runtime)
            .iter_custom(async |iterations| common::measured(queue.send_to_receive(iterations).await));
    });
    group.finish();
}

async fn invoke(target: &Target, event: &serde_json::Value) -> Result<Duration> {
    let function = target.accepting_function().context("noop has a function")?;
    Ok(target.lambda.invoke(function, event).await?.report.duration)
}

/// A queue of the bench's own, which nothing else reads.
struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    async fn create(aws: &Aws) -> Result<Self> {
        let client = Client::new(aws.config());
        let created = client.create_queue().queue_name("bench").send().await?;
        let url = created.queue_url().context("the queue has no URL")?.to_owned();
        Ok(Self { client, url })
    }

    /// From before each message is sent until it was received; deleting it is not counted.
    async fn send_to_receive(&self, messages: u64) -> Result<Duration> {
        let mut total = Duration::ZERO;
        for _ in 0..messages {
            let begin = Instant::now();
            let send = self
                .client
                .send_message()
                .queue_url(&self.url)
                .message_body("message");
            send.send().await?;
            let receive = self.client.receive_message().queue_url(&self.url);
            let received = receive.wait_time_seconds(20).send().await?;
            total += begin.elapsed();
            let message = received.messages().first().context("the message never came")?;
            let delete = self.client.delete_message().queue_url(&self.url);
            delete
                .set_receipt_handle(message.receipt_handle.clone())
                .send()
                .await?;
        }
        Ok(total)
    }
}
