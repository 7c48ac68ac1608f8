//! The comparison itself. Everything is built and started first; then all ways are measured side by side, in turns, so
//! that what drifts on the machine meets them all alike. What fails is reported, and does not stop the rest.

mod own_task;
mod scenes;
mod stress;

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Instant;

use anyhow::{Result, bail};
use jiff::Timestamp;

use crate::ablation::Ablation;
use crate::billing;
use crate::cold::{self, ColdStarts};
use crate::complexity;
use crate::cost;
use crate::deployment::{Deployment, Scene};
use crate::load::Schedule;
use crate::machine::Machine;
use crate::own_task::OwnTaskRuns;
use crate::package;
use crate::place::Place;
use crate::progress::{Phase, Steps, say};
use crate::results::{Failure, Measured, Results, SCHEMA_FILE, SCHEMA_VERSION, Settings};
use crate::variant::Variant;
use crate::warm::Loads;

/// Compares the ways, which are started, or are there. Logs go to a folder below `folder`. What was measured until it is
/// interrupted is in the results.
///
/// # Errors
/// Fails when a way does not take the reader's own task, and when it is interrupted before anything is measured. What else
/// fails is in the results.
pub async fn compare(
    place: &Place,
    ways: &[Variant],
    settings: Settings,
    folder: &Path,
    interruption: impl Future<Output = &'static str>,
) -> Result<Results> {
    let mut interruption = pin!(interruption);
    let mut comparison = tokio::select! {
        comparison = Comparison::deploy(place, ways, settings, folder) => comparison,
        interruption = &mut interruption => bail!("{interruption}"),
    };
    comparison.results.created_at = Timestamp::now();
    let begin = Instant::now();
    tokio::select! {
        measured = comparison.measure() => measured?,
        interruption = &mut interruption => comparison.interrupted(interruption)?,
    }
    comparison.results.seconds = begin.elapsed().as_secs();
    Ok(comparison.results())
}

/// A comparison that is going on.
struct Comparison {
    ways: Vec<Way>,
    /// All but what the ways hold.
    results: Results,
    folder: PathBuf,
    steps: Steps,
}

/// One of the ways: a deployment that runs, and what has been measured of it.
struct Way {
    deployment: Deployment,
    own_tasks: OwnTaskRuns,
    cold: ColdStarts,
    loads: Loads,
    measured: Measured,
}

impl Comparison {
    async fn measure(&mut self) -> Result<()> {
        self.own_tasks().await?;
        self.cold_starts().await;
        self.cold_starts_by_memory().await;
        self.loads().await;
        self.under_stress().await;
        self.finish_loads().await;
        self.soaks().await;
        self.price_own_tasks().await;
        Ok(())
    }

    /// Takes in what the part had measured that was going on.
    ///
    /// # Errors
    /// Fails when that is nothing, and there was nothing before.
    fn interrupted(&mut self, interruption: &str) -> Result<()> {
        say(&format!("{interruption}: what was started is ended"));
        for way in &mut self.ways {
            if way.measured.cold.is_none() {
                way.measured.cold = way.cold.figures()?;
            }
            if way.measured.load.is_empty() {
                // That no request was accepted yet is no failure of the way.
                (way.measured.load, _) = way.loads.figures();
            }
        }
        if self
            .ways
            .iter()
            .all(|way| way.measured.cold.is_none() && way.measured.load.is_empty())
        {
            bail!("{interruption}");
        }
        self.results.interrupted = Some(self.steps.current().to_owned());
        Ok(())
    }

    fn results(self) -> Results {
        let mut results = self.results;
        results.measured = self.ways.into_iter().map(|way| way.measured).collect();
        match cost::model(&results.measured) {
            Ok(costs) => results.costs = costs,
            Err(error) => say(&format!("costs: {error:#}")),
        }
        results
    }

    /// Builds and starts everything, or finds it. Only then can anything be measured: a compiler would disturb it.
    async fn deploy(place: &Place, ways: &[Variant], settings: Settings, folder: &Path) -> Self {
        let mut steps = Steps::new(steps_of(&settings));
        steps.begin(match place {
            Place::Local => "building and starting everything",
            Place::Aws(_) => "looking for what is deployed",
        });
        let machine = Machine::this();
        let ablation = Ablation::left().filter(|ablation| ablation.machine.has_same_code(&machine));
        let mut comparison = Self {
            ways: Vec::new(),
            results: Results {
                schema: SCHEMA_FILE.to_owned(),
                schema_version: SCHEMA_VERSION,
                created_at: Timestamp::now(),
                seconds: 0,
                platform: place.name(),
                settings,
                machine,
                ablation,
                measured: Vec::new(),
                costs: None,
                changes: None,
                failures: Vec::new(),
                interrupted: None,
            },
            folder: folder.to_owned(),
            steps,
        };
        for &variant in ways {
            let deployment = match place {
                Place::Local => scenes::deploy(variant, &Scene::default(), folder).await,
                Place::Aws(account) => Deployment::find(variant, account).await,
            };
            match deployment {
                Ok(deployment) => comparison.ways.push(Way::new(deployment)),
                Err(error) => comparison.fail(variant, "deployment", &error),
            }
        }
        // What is deployed may be of another commit.
        if let Place::Local = place {
            comparison.inspect().await;
        }
        comparison
    }

    /// What is to be known without running it.
    async fn inspect(&mut self) {
        self.each("binaries", any, async |way| {
            way.measured.binaries = package::binaries(way.measured.variant)?;
            Ok(())
        })
        .await;
        self.each("complexity", any, async |way| {
            way.measured.complexity = Some(complexity::count(way.measured.variant)?);
            Ok(())
        })
        .await;
    }

    fn way(&mut self, variant: Variant) -> Option<&mut Way> {
        let mut ways = self.ways.iter_mut();
        ways.find(|way| way.measured.variant == variant)
    }

    fn fail(&mut self, variant: Variant, what: &str, error: &anyhow::Error) {
        let reason = format!("{error:#}");
        say(&format!("{variant}: {what}: {reason}"));
        let what = what.to_owned();
        // A part that fails once may fail in each round.
        if !self
            .results
            .failures
            .iter()
            .any(|failure| failure.variant == variant && failure.what == what)
        {
            self.results.failures.push(Failure {
                variant,
                what,
                reason,
            });
        }
    }

    /// Does this with each of the ways that are wanted, one after the other, and reports those with which it fails.
    async fn each(
        &mut self,
        what: &str,
        is_wanted: impl Fn(Variant) -> bool,
        mut measure: impl AsyncFnMut(&mut Way) -> Result<()>,
    ) {
        for index in 0..self.ways.len() {
            let way = &mut self.ways[index];
            let variant = way.measured.variant;
            if !is_wanted(variant) {
                continue;
            }
            if let Err(error) = measure(way).await {
                self.fail(variant, what, &error);
            }
        }
    }

    /// The same, but not with those with which it failed before.
    async fn each_without_failure(
        &mut self,
        what: &str,
        is_wanted: impl Fn(Variant) -> bool,
        measure: impl AsyncFnMut(&mut Way) -> Result<()>,
    ) {
        let failures = self.results.failures.iter();
        let failed: Vec<Variant> = failures
            .filter(|failure| failure.what == what)
            .map(|failure| failure.variant)
            .collect();
        let is_wanted = |variant| is_wanted(variant) && !failed.contains(&variant);
        self.each(what, is_wanted, measure).await;
    }

    async fn cold_starts(&mut self) {
        const WHAT: &str = "cold starts";
        let rounds = self.results.settings.cold_starts;
        self.steps.begin(&format!("cold starts, {rounds} rounds"));
        let phase = Phase::begin_for_all("cold starts", rounds.into());
        let begin = Timestamp::now();
        for _ in 0..rounds {
            self.each_without_failure(WHAT, any, async |way| way.cold.add(&way.deployment.target).await)
                .await;
            phase.advance();
        }
        self.each(WHAT, any, async |way| {
            way.measured.cold = way.cold.figures()?;
            Ok(())
        })
        .await;
        self.each("the worker's log", any, async |way| {
            if let Some(cold) = &mut way.measured.cold {
                cold.worker_init_us = cold::worker_init(&way.deployment.target, begin, rounds).await?;
            }
            Ok(())
        })
        .await;
    }

    /// In deployments of their own, for there a function gets no more CPU than goes with its memory.
    async fn cold_starts_by_memory(&mut self) {
        let settings = self.results.settings.clone();
        if settings.memory_sizes_mb.is_empty() {
            return;
        }
        self.steps
            .begin("cold starts by memory size, with its share of a CPU");
        let folder = self.folder.clone();
        let is_wanted = |variant: Variant| variant.is_variant() || variant == Variant::Noop;
        self.each("cold starts by memory size", is_wanted, async |way| {
            scenes::by_memory(&mut way.measured, &settings, &folder).await
        })
        .await;
    }

    async fn loads(&mut self) {
        const WHAT: &str = "load";
        let settings = self.results.settings.clone();
        let seconds = settings.seconds_per_rate / settings.slices.max(1);
        self.steps
            .begin(&format!("load, {} slices of {seconds} s each", settings.slices));
        let begin = Timestamp::now();
        self.each(WHAT, any, async |way| {
            way.loads.warm_up(&way.deployment.target, &settings).await
        })
        .await;
        for &rate_per_second in &settings.rates_per_second {
            let schedule = Schedule {
                rate_per_second,
                seconds,
            };
            let is_wanted = |variant: Variant| {
                rate_per_second == settings.reference_rate()
                    || variant.is_variant()
                    || variant == Variant::Noop
            };
            for _ in 0..settings.slices {
                self.each_without_failure(WHAT, is_wanted, async |way| {
                    way.loads.add(&way.deployment.target, schedule).await
                })
                .await;
            }
        }
        self.each(WHAT, any, async |way| {
            let (load, failed) = way.loads.figures();
            way.measured.load = load;
            failed
        })
        .await;
        self.each("billed durations", any, async |way| {
            let tasks = way.measured.load.iter().map(|load| load.accepted).sum();
            way.measured.billed = Some(billing::measure(&way.deployment.target, begin, tasks).await?);
            Ok(())
        })
        .await;
    }

    async fn finish_loads(&mut self) {
        self.each("check", any, async |way| {
            way.measured.check = way.loads.check(&way.deployment.target).await?;
            Ok(())
        })
        .await;
    }
}

fn any(_: Variant) -> bool {
    true
}

/// Building, cold starts, load, bursts: these are always there.
fn steps_of(settings: &Settings) -> u32 {
    let others = [
        settings.own_task.is_some(),
        !settings.memory_sizes_mb.is_empty(),
        settings.quiet_seconds.is_some(),
        settings.fault_tasks > 0,
        settings.soak.is_some(),
    ];
    4 + others.map(u32::from).iter().sum::<u32>()
}

impl Way {
    fn new(deployment: Deployment) -> Self {
        Self {
            own_tasks: OwnTaskRuns::default(),
            cold: ColdStarts::default(),
            loads: Loads::default(),
            measured: Measured::nothing(deployment.target.variant),
            deployment,
        }
    }
}
