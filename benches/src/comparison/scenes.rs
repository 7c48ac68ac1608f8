//! What is measured in deployments of its own, for there something is different: functions get less CPU, or things break.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::cold;
use crate::deployment::{Deployment, Scene};
use crate::faults::{self, Fault, FaultRun};
use crate::progress::Phase;
use crate::results::{Measured, Settings};
use crate::soak::{self, Plan, Soak};
use crate::variant::Variant;

/// How many deployments are started at the same time, for the single faults.
const STARTED_AT_ONCE: usize = 2;

/// Builds what is not built, starts the variant, and shows that it does.
pub(super) async fn deploy(variant: Variant, scene: &Scene, folder: &Path) -> Result<Deployment> {
    let log = Deployment::log_file(folder, variant, scene)?;
    let phase = Phase::begin(variant, &format!("building and starting{}", scene.suffix()), 0);
    Deployment::start(variant, scene, &log, &phase).await
}

/// Measures nothing where the system does not let the local cloud impose the CPU share.
pub(super) async fn by_memory(measured: &mut Measured, settings: &Settings, folder: &Path) -> Result<()> {
    let variant = measured.variant;
    let scene = Scene {
        name: Some("memory"),
        limits_cpu: true,
        ..Scene::default()
    };
    let deployment = deploy(variant, &scene, folder).await?;
    if !deployment.imposes_cpu_shares()? {
        return Ok(());
    }
    let phase = Phase::begin(
        variant,
        "cold starts by memory size",
        settings.memory_sizes_mb.len() as u64,
    );
    for &memory_mb in &settings.memory_sizes_mb {
        let figures = cold::with_memory(&deployment.target, memory_mb, settings.cold_starts_by_memory).await;
        let figures = figures.with_context(|| format!("with {memory_mb} MB"))?;
        measured.cold_by_memory.push(figures);
        phase.advance();
    }
    Ok(())
}

/// Each single fault with each way that it concerns, all at the same time.
pub(super) async fn single_faults(
    variants: Vec<Variant>,
    tasks: u32,
    folder: PathBuf,
) -> Vec<(Variant, Fault, Result<FaultRun>)> {
    let pairs: Vec<(Variant, Fault)> = variants
        .iter()
        .flat_map(|&variant| Fault::ALL.map(|fault| (variant, fault)))
        .filter(|(variant, fault)| fault.concerns(*variant))
        .collect();
    let phase = Arc::new(Phase::begin_for_all("single faults", pairs.len() as u64));
    let starts = Arc::new(Semaphore::new(STARTED_AT_ONCE));
    let mut runs = JoinSet::new();
    for (variant, fault) in pairs {
        let (starts, folder, phase) = (starts.clone(), folder.clone(), phase.clone());
        runs.spawn(async move {
            let run = single_fault(variant, fault, tasks, &starts, &folder).await;
            phase.advance();
            (variant, fault, run)
        });
    }
    runs.join_all().await
}

async fn single_fault(
    variant: Variant,
    fault: Fault,
    tasks: u32,
    starts: &Semaphore,
    folder: &Path,
) -> Result<FaultRun> {
    let scene = fault.scene(variant);
    let log = Deployment::log_file(folder, variant, &scene)?;
    let deployment = {
        let _one_of_few = starts.acquire().await.context("nothing is started any more")?;
        Deployment::start(variant, &scene, &log, &Phase::silent()).await?
    };
    let run = faults::run(&deployment.target, fault, tasks).await;
    // Ending takes a moment, in which others go on.
    tokio::task::spawn_blocking(move || drop(deployment)).await?;
    run.with_context(|| format!("see the log, {}", log.display()))
}

pub(super) async fn soak(variant: Variant, plan: &Plan, folder: &Path) -> Result<Soak> {
    let scene = Scene {
        name: Some("soak"),
        faults: Some(plan.faults.clone()),
        parameters: variant.with_task_timeout(60),
        ..Scene::default()
    };
    let deployment = deploy(variant, &scene, folder).await?;
    let log = Deployment::log_file(folder, variant, &scene)?;
    let ran = soak::run(&deployment.target, plan.tasks).await;
    // Its end is the last that the log has to say.
    drop(deployment);
    ran.and_then(|ran| ran.held_against(&log))
        .with_context(|| format!("see the log, {}", log.display()))
}
