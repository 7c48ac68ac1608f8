//! The comparison itself: everything is built, by starting each variant once; then each in turn is started, measured
//! and ended. What fails does not stop the rest.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use jiff::Timestamp;

use crate::cold;
use crate::deployment::Deployment;
use crate::machine::Machine;
use crate::progress::Phase;
use crate::results::{Binary, Failure, Measured, Results, SCHEMA_VERSION, Settings};
use crate::soak::{self, Plan, Soak};
use crate::target::Target;
use crate::variant::Variant;
use crate::warm;
use crate::workspace;

/// Compares the variants, and measures the floor below them. Logs go to a folder below `folder`.
pub async fn compare(variants: &[Variant], settings: Settings, folder: &Path) -> Results {
    let mut results = Results {
        schema_version: SCHEMA_VERSION,
        created_at: Timestamp::now(),
        platform: "local cloud".into(),
        settings,
        machine: Machine::this(),
        measured: Vec::new(),
        failures: Vec::new(),
    };
    let mut deployable = Vec::new();
    for &variant in variants.iter().chain([&Variant::Noop]) {
        match deploy(variant, "building", folder, None).await {
            Ok(_) => deployable.push(variant),
            Err(error) => results.failures.push(failure(variant, &error)),
        }
    }
    // Only now: a compiler that was busy a moment ago would disturb the measurements.
    for variant in deployable {
        let begin = Instant::now();
        match deploy_and_measure(variant, &results.settings, folder).await {
            Ok(measured) => {
                eprintln!("{variant}: done in {:.0} s", begin.elapsed().as_secs_f64());
                results.measured.push(measured);
            }
            Err(error) => results.failures.push(failure(variant, &error)),
        }
    }
    results
}

fn failure(variant: Variant, error: &anyhow::Error) -> Failure {
    let reason = format!("{error:#}");
    eprintln!("{variant}: {reason}");
    Failure { variant, reason }
}

async fn deploy(variant: Variant, what: &str, folder: &Path, faults: Option<&str>) -> Result<Deployment> {
    let log = Deployment::log_file(folder, variant, faults.is_some())?;
    let phase = Phase::begin(variant, what, 0);
    Deployment::start(variant, faults, &log, &phase).await
}

async fn deploy_and_measure(variant: Variant, settings: &Settings, folder: &Path) -> Result<Measured> {
    let deployment = deploy(variant, "starting", folder, None).await?;
    let log = Deployment::log_file(folder, variant, false)?;
    let measured = measure(&deployment.target, settings).await;
    let mut measured = measured.with_context(|| format!("see the log, {}", log.display()))?;
    drop(deployment);
    if let Some(plan) = settings.soak.as_ref().filter(|_| variant.runs_tasks()) {
        measured.soak = Some(soak(variant, plan, folder).await?);
    }
    Ok(measured)
}

/// In a deployment of its own, so that nothing is measured where things break.
async fn soak(variant: Variant, plan: &Plan, folder: &Path) -> Result<Soak> {
    let deployment = deploy(variant, "starting, with faults", folder, Some(&plan.faults)).await?;
    let log = Deployment::log_file(folder, variant, true)?;
    let ran = soak::run(&deployment.target, plan.tasks).await;
    // Its end is the last that the log has to say.
    drop(deployment);
    ran.and_then(|ran| ran.held_against(&log))
        .with_context(|| format!("see the log, {}", log.display()))
}

/// Measures a deployment that runs.
///
/// # Errors
/// Fails when one of the figures cannot be had.
pub async fn measure(target: &Target, settings: &Settings) -> Result<Measured> {
    let cold = {
        let phase = Phase::begin(target.variant, "cold starts", settings.cold_starts.into());
        cold::measure(target, settings.cold_starts, &phase).await?
    };
    let (load, check) = warm::measure(target, settings).await?;
    Ok(Measured {
        variant: target.variant,
        cold,
        load,
        check,
        binaries: binaries(target.variant)?,
        soak: None,
    })
}

fn binaries(variant: Variant) -> Result<Vec<Binary>> {
    let folder = workspace::target_directory()?.join("release");
    let size = |name: &&str| {
        let path = folder.join(name);
        let metadata = fs::metadata(&path).with_context(|| format!("cannot see {}", path.display()))?;
        Ok(Binary {
            name: (*name).to_owned(),
            bytes: metadata.len(),
        })
    };
    variant.binaries().iter().map(size).collect()
}
