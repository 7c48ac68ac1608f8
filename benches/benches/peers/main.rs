//! The local cloud beside programs that people use for the same: the same client, the same function that does nothing, in
//! turns on the same machine. `cargo-lambda watch` and `MiniStack` invoke functions; `moto` and `MiniStack` have queues.
//! They come from `PyPI`, into an environment below Cargo's folder, so this bench runs only when it is named.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use benches::client::TaskApi;
use benches::deployment::Scene;
use benches::event;
use benches::variant::Variant;
use criterion::{Criterion, SamplingMode, Throughput};
use jiff::Timestamp;
use tokio::runtime::Runtime;

use peer::{Cold, Peer};
use queue::Queue;

#[path = "../common/mod.rs"]
mod common;
mod peer;
mod program;
#[path = "../common/queue.rs"]
#[expect(
    dead_code,
    reason = "one message at a time is measured of the local cloud alone"
)]
mod queue;

fn main() -> Result<()> {
    if common::is_wanted() {
        let mut criterion = Criterion::default().configure_from_args();
        let runtime = &Runtime::new()?;
        program::end_with_ctrl_c(runtime);
        let mut deployment = common::LazyDeployment::new(runtime, Variant::Noop, Scene::default());
        let local_cloud = Peer::local_cloud(&deployment.target())?;
        let peers = runtime.block_on(Peer::others())?;
        let peers: Vec<&Peer> = [&local_cloud].into_iter().chain(&peers).collect();
        invocations(&mut criterion, runtime, &peers);
        messages(&mut criterion, runtime, &peers);
        criterion.final_summary();
    }
    Ok(())
}

fn invocations(criterion: &mut Criterion, runtime: &Runtime, peers: &[&Peer]) {
    let mut group = criterion.benchmark_group("peers/invoke");
    for peer in peers.iter().filter(|peer| peer.function.is_some()) {
        group.bench_function(peer.name, |bencher| {
            bencher
                .to_async(runtime)
                .iter(async || common::measured(invoke(peer).await));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("peers/cold_invoke");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .warm_up_time(Duration::from_millis(1));
    for peer in peers.iter().filter(|peer| peer.function.is_some()) {
        group.bench_function(peer.name, |bencher| {
            bencher
                .to_async(runtime)
                .iter_custom(async |iterations| common::measured(cold_invokes(peer, iterations).await));
        });
    }
    group.finish();
}

fn messages(criterion: &mut Criterion, runtime: &Runtime, peers: &[&Peer]) {
    let mut group = criterion.benchmark_group("peers/send_to_delete_by_ten");
    group.throughput(Throughput::Elements(1));
    for peer in peers.iter().filter(|peer| peer.has_queues) {
        let queue = &common::measured(runtime.block_on(Queue::create(&peer.aws, 0)));
        group.bench_function(peer.name, |bencher| {
            bencher.to_async(runtime).iter_custom(async |messages| {
                let begin = Instant::now();
                common::measured(queue.send_to_delete(messages).await);
                begin.elapsed()
            });
        });
    }
    group.finish();
}

async fn invoke(peer: &Peer) -> Result<()> {
    let event = event::post_tasks(&TaskApi::empty_task(), Timestamp::now());
    let function = peer.function.as_deref().context("it has no functions")?;
    let request = Client::new(peer.aws.config()).invoke().function_name(function);
    let answer = request.payload(Blob::new(event.to_string())).send().await?;
    let answer = answer.payload().context("there is no answer")?;
    let answer: serde_json::Value = serde_json::from_slice(answer.as_ref())?;
    answer["statusCode"]
        .as_u64()
        .map(drop)
        .with_context(|| format!("{}: the function answered {answer}", peer.name))
}

/// Making it cold is not counted.
async fn cold_invokes(peer: &Peer, iterations: u64) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for _ in 0..iterations {
        match &peer.cold {
            Cold::ByUpdate(lambda, function) => lambda.reset(function).await?,
            Cold::ByRestart(program) => program.restart().await?,
            Cold::Never => {}
        }
        let begin = Instant::now();
        invoke(peer).await?;
        total += begin.elapsed();
    }
    Ok(total)
}
