//! Deploys the rows, all at once, and measures them in turns.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::build;
use super::rows::{How, Row};
use super::{Ablated, Ablation};
use crate::cold::{FirstInvocation, figures, first_invocation};
use crate::deployment::{Deployment, Scene};
use crate::machine::Machine;
use crate::package;
use crate::progress::Phase;
use crate::variant::Variant;
use crate::workspace;

/// Between two measurements, in which the environment that was there before ends.
const SETTLE: Duration = Duration::from_millis(100);

/// Builds and measures these rows, with so many cold starts of each; first with all CPU, then with that of 128 MB.
///
/// # Errors
/// Fails when a row cannot be built, deployed or measured.
pub async fn measure(rows: &[Row], rounds: u32) -> Result<Ablation> {
    let begin = Instant::now();
    let say = |what: &str| {
        let seconds = begin.elapsed().as_secs();
        eprintln!("{}:{:02}  {what}", seconds / 60, seconds % 60);
    };
    let created_at = Timestamp::now();
    // Now, for what is built: its sources may change while it is measured.
    let machine = Machine::this();
    let target_directory = workspace::target_directory()?;
    let mut all = Vec::new();
    for row in rows {
        say(&format!("building and starting {}", row.name));
        all.push(Measured::start(row, &target_directory, false).await?);
    }
    say(&format!("{rounds} cold starts of each"));
    in_turns(&mut all, rounds).await?;
    let all = figures_of(all)?;

    let mut some = Vec::new();
    for row in rows.iter().filter(|row| row.with_128_mb) {
        let measured = Measured::start(row, &target_directory, true).await?;
        if !measured.deployment.imposes_cpu_shares()? {
            break;
        }
        let target = &measured.deployment.target;
        let function = target.accepting_function().context("there is no function")?;
        target.lambda.set_memory(function, 128).await?;
        some.push(measured);
    }
    say(&format!("{rounds} cold starts of {} with 128 MB", some.len()));
    in_turns(&mut some, rounds).await?;
    Ok(Ablation {
        created_at,
        machine,
        rows: all,
        with_128_mb: figures_of(some)?,
    })
}

/// A row that is deployed.
struct Measured {
    row: Row,
    binary_bytes: u64,
    deployment: Deployment,
    invocations: Vec<FirstInvocation>,
}

impl Measured {
    async fn start(row: &Row, target_directory: &Path, limits_cpu: bool) -> Result<Self> {
        let (variant, template) = match row.how {
            How::Floor => (Variant::Noop, None),
            _ => (Variant::SelfInvoke, Some(build::template(row, target_directory)?)),
        };
        let scene = Scene {
            name: Some(row.name),
            template,
            limits_cpu,
            tls: true,
            ..Scene::default()
        };
        let log = Deployment::log_file(&target_directory.join("ablation"), variant, &scene)?;
        let deployment = Deployment::start(variant, &scene, &log, &Phase::silent()).await?;
        let binary_bytes = match &scene.template {
            Some(template) => template.with_file_name("bootstrap").metadata()?.len(),
            None => package::binaries(variant)?
                .iter()
                .map(|binary| binary.bytes)
                .sum(),
        };
        Ok(Self {
            row: *row,
            binary_bytes,
            deployment,
            invocations: Vec::new(),
        })
    }
}

/// Each in turn, and in each round another one first.
async fn in_turns(rows: &mut [Measured], rounds: u32) -> Result<()> {
    for _ in 0..rounds {
        for row in &mut *rows {
            tokio::time::sleep(SETTLE).await;
            let measured = first_invocation(&row.deployment.target).await;
            row.invocations.push(measured.with_context(|| row.row.name)?);
        }
        rows.rotate_left(1.min(rows.len()));
    }
    let turns = rounds as usize % rows.len().max(1);
    rows.rotate_right(turns);
    Ok(())
}

fn figures_of(rows: Vec<Measured>) -> Result<Vec<Ablated>> {
    rows.into_iter()
        .map(|measured| {
            Ok(Ablated {
                name: measured.row.name.to_owned(),
                change: measured.row.change.to_owned(),
                binary_bytes: measured.binary_bytes,
                first_invocation: figures(&measured.invocations)?,
            })
        })
        .collect()
}
