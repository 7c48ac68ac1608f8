//! Cold start: from the start of the API function's process to its first answer, by the REPORT line. Each
//! iteration retires the execution environments and invokes anew, which takes far longer than what is measured. The
//! variants are measured twice: `NAME` has AWS's APIs without TLS, `NAME-tls` with it, as they are on AWS.

use std::time::Duration;

use anyhow::Result;
use benches::cold::first_invocation;
use benches::deployment::Scene;
use benches::target::Target;
use benches::variant::Variant;
use criterion::{Criterion, SamplingMode};
use tokio::runtime::Runtime;

mod common;

fn main() -> Result<()> {
    if common::is_wanted() {
        let mut criterion = Criterion::default().configure_from_args();
        cold_start(&mut criterion, &Runtime::new()?);
        criterion.final_summary();
    }
    Ok(())
}

fn cold_start(criterion: &mut Criterion, runtime: &Runtime) {
    let mut group = criterion.benchmark_group("cold_start");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(20)
        // Long enough for what drifts on a machine within seconds to even out between two runs.
        .measurement_time(Duration::from_secs(25))
        .warm_up_time(Duration::from_millis(1));
    for variant in Variant::ALL.into_iter().chain([Variant::Noop]) {
        for tls in [false, true] {
            // The floor calls none of AWS's APIs.
            if tls && variant == Variant::Noop {
                continue;
            }
            let scene = Scene {
                name: tls.then_some("tls"),
                tls,
                ..Scene::default()
            };
            let name = scene
                .name
                .map_or_else(|| variant.to_string(), |scene| format!("{variant}-{scene}"));
            let mut deployment = common::LazyDeployment::new(runtime, variant, scene);
            group.bench_function(name, |bencher| {
                let target = &deployment.target();
                bencher.to_async(runtime).iter_custom(async |iterations| {
                    common::measured(first_answers(target, iterations).await)
                });
            });
        }
    }
    group.finish();
}

/// Before each start. The end of the environment before it is work too; and a variant, whose task is waited for, comes to a machine
/// at rest, while a floor that is asked again at once would find all it needs in the processor's caches.
const SETTLE: Duration = Duration::from_millis(20);

async fn first_answers(target: &Target, iterations: u64) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for _ in 0..iterations {
        tokio::time::sleep(SETTLE).await;
        total += first_invocation(target).await?.to_first_answer();
    }
    Ok(total)
}
