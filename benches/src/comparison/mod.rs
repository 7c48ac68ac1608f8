//! The comparison itself. Everything is built and started first; then all ways are measured side by side, in turns, so
//! that what drifts on the machine meets them all alike. What fails is reported, and does not stop the rest.

mod own_task;
mod scenes;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::ablation::Ablation;
use crate::billing;
use crate::burst;
use crate::cold::{self, ColdStarts};
use crate::complexity;
use crate::cost;
use crate::deployment::{Deployment, Scene};
use crate::load::Schedule;
use crate::machine::Machine;
use crate::own_task::OwnTaskRuns;
use crate::package;
use crate::place::Place;
use crate::progress::{Phase, Steps};
use crate::quiet;
use crate::results::{Failure, Measured, Results, SCHEMA_FILE, SCHEMA_VERSION, Settings};
use crate::saturation;
use crate::variant::Variant;
use crate::warm::Loads;

/// Compares the ways, which are started, or are there. Logs go to a folder below `folder`.
///
/// # Errors
/// Fails when a way does not take the reader's own task. What else fails is in the results.
pub async fn compare(place: &Place, ways: &[Variant], settings: Settings, folder: &Path) -> Result<Results> {
    let mut comparison = Comparison::deploy(place, ways, settings, folder).await;
    let created_at = Timestamp::now();
    let begin = Instant::now();
    comparison.own_tasks().await?;
    comparison.cold_starts().await;
    comparison.cold_starts_by_memory().await;
    comparison.loads().await;
    comparison.under_stress().await;
    comparison.finish_loads().await;
    comparison.soaks().await;
    comparison.price_own_tasks();
    let mut results = comparison.results;
    results.created_at = created_at;
    results.seconds = begin.elapsed().as_secs();
    results.measured = comparison.ways.into_iter().map(|way| way.measured).collect();
    match cost::model(&results.measured) {
        Ok(costs) => results.costs = costs,
        Err(error) => eprintln!("costs: {error:#}"),
    }
    Ok(results)
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
    /// Builds and starts everything, or finds it. Only then can anything be measured: a compiler would disturb it.
    async fn deploy(place: &Place, ways: &[Variant], settings: Settings, folder: &Path) -> Self {
        let mut steps = Steps::new(steps_of(&settings));
        steps.begin(match place {
            Place::Local => "building and starting everything",
            Place::Aws(_) => "looking for what is deployed",
        });
        let machine = Machine::this();
        let ablation = Ablation::left().filter(|ablation| ablation.machine.commit == machine.commit);
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
            for index in 0..comparison.ways.len() {
                comparison.inspect(index);
            }
        }
        comparison
    }

    /// What is to be known without running it.
    fn inspect(&mut self, index: usize) {
        let measured = &mut self.ways[index].measured;
        let variant = measured.variant;
        match package::binaries(variant) {
            Ok(binaries) => measured.binaries = binaries,
            Err(error) => self.fail(variant, "binaries", &error),
        }
        match complexity::count(variant) {
            Ok(complexity) => self.ways[index].measured.complexity = Some(complexity),
            Err(error) => self.fail(variant, "complexity", &error),
        }
    }

    fn fail(&mut self, variant: Variant, what: &str, error: &anyhow::Error) {
        let reason = format!("{error:#}");
        eprintln!("{variant}: {what}: {reason}");
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

    fn failed(&self, variant: Variant, what: &str) -> bool {
        self.results
            .failures
            .iter()
            .any(|failure| failure.variant == variant && failure.what == what)
    }

    async fn cold_starts(&mut self) {
        const WHAT: &str = "cold starts";
        let rounds = self.results.settings.cold_starts;
        self.steps.begin(&format!("cold starts, {rounds} rounds"));
        let phase = Phase::begin_for_all("cold starts", rounds.into());
        let begin = Timestamp::now();
        for _ in 0..rounds {
            for index in 0..self.ways.len() {
                let variant = self.ways[index].measured.variant;
                if self.failed(variant, WHAT) {
                    continue;
                }
                let way = &mut self.ways[index];
                if let Err(error) = way.cold.add(&way.deployment.target).await {
                    self.fail(variant, WHAT, &error);
                }
            }
            phase.advance();
        }
        for index in 0..self.ways.len() {
            match self.ways[index].cold.figures() {
                Ok(cold) => self.ways[index].measured.cold = cold,
                Err(error) => self.fail(self.ways[index].measured.variant, WHAT, &error),
            }
            let way = &mut self.ways[index];
            let Some(cold) = &mut way.measured.cold else {
                continue;
            };
            match cold::worker_init(&way.deployment.target, begin, rounds).await {
                Ok(init) => cold.worker_init_us = init,
                Err(error) => self.fail(self.ways[index].measured.variant, "the worker's log", &error),
            }
        }
    }

    /// In deployments of their own, for there a function gets no more CPU than goes with its memory.
    async fn cold_starts_by_memory(&mut self) {
        const WHAT: &str = "cold starts by memory size";
        let settings = self.results.settings.clone();
        if settings.memory_sizes_mb.is_empty() {
            return;
        }
        self.steps
            .begin("cold starts by memory size, with its share of a CPU");
        for index in 0..self.ways.len() {
            let variant = self.ways[index].measured.variant;
            if !variant.is_variant() && variant != Variant::Noop {
                continue;
            }
            match scenes::by_memory(variant, &settings, &self.folder).await {
                Ok(by_memory) => self.ways[index].measured.cold_by_memory = by_memory,
                Err(error) => self.fail(variant, WHAT, &error),
            }
        }
    }

    async fn loads(&mut self) {
        const WHAT: &str = "load";
        let settings = self.results.settings.clone();
        self.steps.begin(&format!(
            "load, {} slices of {} s each",
            settings.slices,
            settings.seconds_per_rate / settings.slices.max(1)
        ));
        let begin = Timestamp::now();
        for index in 0..self.ways.len() {
            let way = &mut self.ways[index];
            if let Err(error) = way.loads.warm_up(&way.deployment.target, &settings).await {
                self.fail(self.ways[index].measured.variant, WHAT, &error);
            }
        }
        for &rate_per_second in &settings.rates_per_second {
            let schedule = Schedule {
                rate_per_second,
                seconds: settings.seconds_per_rate / settings.slices.max(1),
            };
            for _ in 0..settings.slices {
                for index in 0..self.ways.len() {
                    let variant = self.ways[index].measured.variant;
                    let is_wanted = rate_per_second == settings.reference_rate()
                        || variant.is_variant()
                        || variant == Variant::Noop;
                    if !is_wanted || self.failed(variant, WHAT) {
                        continue;
                    }
                    let way = &mut self.ways[index];
                    if let Err(error) = way.loads.add(&way.deployment.target, schedule).await {
                        self.fail(variant, WHAT, &error);
                    }
                }
            }
        }
        for index in 0..self.ways.len() {
            let variant = self.ways[index].measured.variant;
            match self.ways[index].loads.figures(variant) {
                Ok(load) => self.ways[index].measured.load = load,
                Err(error) => self.fail(variant, WHAT, &error),
            }
            let way = &self.ways[index];
            let tasks = way.measured.load.iter().map(|load| load.accepted).sum();
            match billing::measure(&way.deployment.target, begin, tasks).await {
                Ok(billed) => self.ways[index].measured.billed = Some(billed),
                Err(error) => self.fail(variant, "billed durations", &error),
            }
        }
    }

    /// Bursts, limits and single faults. The faults are waited for more than worked on, so they need not be alone.
    async fn under_stress(&mut self) {
        let settings = self.results.settings.clone();
        let variants: Vec<Variant> = self.ways.iter().map(|way| way.measured.variant).collect();
        self.leave_alone().await;
        self.steps.begin("bursts, limits and single faults");
        let faults = scenes::single_faults(variants, settings.fault_tasks, self.folder.clone());
        let (faults, ()) = tokio::join!(faults, self.bursts_and_limits());
        for (variant, fault, run) in faults {
            match run {
                Ok(run) => {
                    let mut ways = self.ways.iter_mut();
                    if let Some(way) = ways.find(|way| way.measured.variant == variant) {
                        way.measured.faults.push(run);
                        way.measured.faults.sort_by_key(|run| run.fault);
                    }
                }
                Err(error) => self.fail(variant, fault.name(), &error),
            }
        }
    }

    /// All at the same time, for it is mostly waited for.
    async fn leave_alone(&mut self) {
        let Some(seconds) = self.results.settings.quiet_seconds else {
            return;
        };
        self.steps
            .begin(&format!("tasks whose clients go away for {seconds} s"));
        let mut tasks = JoinSet::new();
        for way in &self.ways {
            let target = way.deployment.target.clone();
            if target.variant.answers_first() {
                tasks.spawn(async move { (target.variant, quiet::measure(&target, seconds).await) });
            }
        }
        for (variant, quiet) in tasks.join_all().await {
            match quiet {
                Ok(quiet) => {
                    let mut ways = self.ways.iter_mut();
                    if let Some(way) = ways.find(|way| way.measured.variant == variant) {
                        way.measured.quiet = Some(quiet);
                    }
                }
                Err(error) => self.fail(variant, "a task left alone", &error),
            }
        }
    }

    async fn bursts_and_limits(&mut self) {
        let settings = self.results.settings.clone();
        for index in 0..self.ways.len() {
            let variant = self.ways[index].measured.variant;
            if !variant.ends_tasks() || !variant.answers_first() {
                continue;
            }
            match burst::measure(&self.ways[index].deployment.target, settings.burst_tasks).await {
                Ok(burst) => self.ways[index].measured.burst = Some(burst),
                Err(error) => self.fail(variant, "burst", &error),
            }
        }
        let Some(from_per_second) = settings.saturation_from else {
            return;
        };
        for index in 0..self.ways.len() {
            let variant = self.ways[index].measured.variant;
            if !variant.is_variant() && !matches!(variant, Variant::AlwaysOn | Variant::Noop) {
                continue;
            }
            match saturation::measure(&self.ways[index].deployment.target, from_per_second).await {
                Ok(saturation) => self.ways[index].measured.saturation = Some(saturation),
                Err(error) => self.fail(variant, "limits", &error),
            }
        }
    }

    async fn finish_loads(&mut self) {
        for index in 0..self.ways.len() {
            let way = &self.ways[index];
            match way.loads.check(&way.deployment.target).await {
                Ok(check) => self.ways[index].measured.check = check,
                Err(error) => self.fail(self.ways[index].measured.variant, "check", &error),
            }
        }
    }

    /// In a deployment of its own for each variant, so that nothing is measured where things break.
    async fn soaks(&mut self) {
        let Some(plan) = self.results.settings.soak.clone() else {
            return;
        };
        self.steps.begin("tasks while everything breaks");
        for index in 0..self.ways.len() {
            let variant = self.ways[index].measured.variant;
            if !variant.is_variant() {
                continue;
            }
            match scenes::soak(variant, &plan, &self.folder).await {
                Ok(soak) => self.ways[index].measured.soak = Some(soak),
                Err(error) => self.fail(variant, "soak", &error),
            }
        }
    }
}

/// Building, cold starts, load, stress: these are always there.
fn steps_of(settings: &Settings) -> u32 {
    let others = [
        settings.own_task.is_some(),
        !settings.memory_sizes_mb.is_empty(),
        settings.quiet_seconds.is_some(),
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
