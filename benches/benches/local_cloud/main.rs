//! The local cloud itself, as any client of AWS meets it, through the SDK: what it adds to every measurement is in these.
//!
//! - `bare_start`: the function that does nothing, from its being spawned to its first poll for work, with no local cloud
//!   around it; `cold_invoke`: an Invoke that starts it; `invoke`: one that finds it warm. What the local cloud adds to a
//!   start is what the second takes longer than the other two together.
//! - `above_the_function`: a warm Invoke, without the duration that its REPORT line gives.
//! - `invoke_8_at_once`, `send_to_delete_by_ten`: how many a second. Client and local cloud share the machine.
//! - `send_to_receive`: one message.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use aws_sdk_lambda::primitives::Blob;
use benches::client::TaskApi;
use benches::deployment::Scene;
use benches::event;
use benches::target::Target;
use benches::variant::Variant;
use criterion::{BenchmarkGroup, Criterion, SamplingMode, Throughput, measurement::WallTime};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde_json::Value;
use tokio::runtime::Runtime;

use queue::Queue;

mod bare;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/queue.rs"]
mod queue;

/// Invocations, and messages, that are under way at the same time.
const AT_ONCE: usize = 8;

fn main() -> Result<()> {
    if common::is_wanted() {
        let mut criterion = Criterion::default().configure_from_args();
        let runtime = &Runtime::new()?;
        let mut deployment = common::LazyDeployment::new(runtime, Variant::Noop, Scene::default());
        let target = &deployment.target();
        let mut group = criterion.benchmark_group("local_cloud");
        starts(&mut group, runtime, target);
        invocations(&mut group, runtime, target);
        messages(&mut group, runtime, target);
        group.finish();
        criterion.final_summary();
    }
    Ok(())
}

fn starts(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, target: &Target) {
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(20)
        .warm_up_time(Duration::from_millis(1));
    group.bench_function("bare_start", |bencher| {
        bencher.iter_custom(|iterations| common::measured(bare::starts("baseline-noop", iterations)));
    });
    group.bench_function("cold_invoke", |bencher| {
        bencher
            .to_async(runtime)
            .iter_custom(async |iterations| common::measured(cold_invokes(target, iterations).await));
    });
}

fn invocations(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, target: &Target) {
    group
        .sampling_mode(SamplingMode::Auto)
        .sample_size(50)
        .warm_up_time(Duration::from_secs(1));
    group.bench_function("invoke", |bencher| {
        bencher
            .to_async(runtime)
            .iter(async || common::measured(target.invoke_to_accept(function(target)).await));
    });
    group.bench_function("above_the_function", |bencher| {
        bencher
            .to_async(runtime)
            .iter_custom(async |iterations| common::measured(above_the_function(target, iterations).await));
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("invoke_8_at_once", |bencher| {
        bencher
            .to_async(runtime)
            .iter_custom(async |iterations| common::measured(invokes_at_once(target, iterations).await));
    });
}

fn messages(group: &mut BenchmarkGroup<'_, WallTime>, runtime: &Runtime, target: &Target) {
    let create = (0..AT_ONCE).map(|number| Queue::create(&target.aws, number));
    let queues = &common::measured(runtime.block_on(try_join_all(create)));
    group.bench_function("send_to_receive", |bencher| {
        bencher
            .to_async(runtime)
            .iter_custom(async |iterations| common::measured(queues[0].send_to_receive(iterations).await));
    });
    group.bench_function("send_to_delete_by_ten", |bencher| {
        bencher.to_async(runtime).iter_custom(async |iterations| {
            let begin = Instant::now();
            let share = |queue| Queue::send_to_delete(queue, iterations.div_ceil(AT_ONCE as u64));
            common::measured(try_join_all(queues.iter().map(share)).await);
            begin.elapsed()
        });
    });
}

fn function(target: &Target) -> &str {
    target.accepting_function().unwrap_or_default()
}

/// Each finds no environment: making it so is not counted.
async fn cold_invokes(target: &Target, iterations: u64) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for _ in 0..iterations {
        target.lambda.reset(function(target)).await?;
        let begin = Instant::now();
        let invocation = target.invoke_to_accept(function(target)).await?;
        total += begin.elapsed();
        ensure!(invocation.report.init_duration.is_some(), "it was warm");
    }
    Ok(total)
}

async fn above_the_function(target: &Target, iterations: u64) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for _ in 0..iterations {
        let begin = Instant::now();
        let invocation = target.invoke_to_accept(function(target)).await?;
        total += begin.elapsed().saturating_sub(invocation.report.duration);
    }
    Ok(total)
}

async fn invokes_at_once(target: &Target, iterations: u64) -> Result<Duration> {
    let event = event::post_tasks(&TaskApi::empty_task(), Timestamp::now());
    let begin = Instant::now();
    let share = iterations.div_ceil(AT_ONCE as u64);
    try_join_all((0..AT_ONCE).map(|_| invokes(target, &event, share))).await?;
    Ok(begin.elapsed())
}

/// Without the end of the log, which only measurements ask for.
async fn invokes(target: &Target, event: &Value, times: u64) -> Result<()> {
    let client = aws_sdk_lambda::Client::new(target.aws.config());
    for _ in 0..times {
        let request = client.invoke().function_name(function(target));
        let answer = request.payload(Blob::new(event.to_string())).send().await?;
        ensure!(answer.function_error().is_none(), "the function failed");
        answer.payload().context("there is no answer")?;
    }
    Ok(())
}
