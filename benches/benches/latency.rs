//! Warm latency, one request at a time: how long a client waits for the answer, and how long the accepted task
//! waits for its start. The next request is sent when the task has ended, so none competes with another.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use benches::client::TaskApi;
use benches::deployment::Scene;
use benches::target::Target;
use benches::variant::Variant;
use criterion::{BenchmarkId, Criterion, SamplingMode};
use tokio::runtime::Runtime;

mod common;

/// Before the first look at a task's record, which is a request too and would compete with the task; and for the floor, which
/// has no task, so that its next request comes to a machine at rest as well.
const SETTLE: Duration = Duration::from_millis(5);

fn main() -> Result<()> {
    if common::is_wanted() {
        let mut criterion = Criterion::default().configure_from_args();
        latency(&mut criterion, &Runtime::new()?);
        criterion.final_summary();
    }
    Ok(())
}

fn latency(criterion: &mut Criterion, runtime: &Runtime) {
    let mut group = criterion.benchmark_group("latency");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1));
    for variant in Variant::ALL.into_iter().chain([Variant::Noop]) {
        let mut deployment = common::LazyDeployment::new(runtime, variant, Scene::default());
        let mut bench = |name: &str, sum: fn(&Latencies) -> Duration| {
            group.bench_function(BenchmarkId::new(name, variant), |bencher| {
                let target = &deployment.target();
                bencher.to_async(runtime).iter_custom(async |iterations| {
                    sum(&common::measured(latencies(target, iterations).await))
                });
            });
        };
        bench("accept", |sums| sums.accept);
        if variant.ends_tasks() {
            bench("accept_to_start", |sums| sums.start);
        }
    }
    group.finish();
}

/// Sums over all iterations.
#[derive(Default)]
struct Latencies {
    accept: Duration,
    start: Duration,
}

async fn latencies(target: &Target, iterations: u64) -> Result<Latencies> {
    let task = TaskApi::empty_task();
    let mut sums = Latencies::default();
    for _ in 0..iterations {
        let sent = Instant::now();
        let accepted = target.tasks.accept(&task).await?;
        sums.accept += sent.elapsed();
        tokio::time::sleep(SETTLE).await;
        if target.variant.ends_tasks() {
            let task = target.tasks.succeeded(&accepted.id()?).await?;
            sums.start += task
                .accepted_to_started()
                .context("a task that succeeded was never started")?;
        }
    }
    Ok(sums)
}
