//! What `cargo compare` can be told, and what of that fits together.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use benches::own_task::Plan;
use benches::results::{Results, Settings};
use benches::soak;
use benches::variant::Variant;
use benches::workspace;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use clap_complete::Shell;
use serde_json::Value;

/// Compares the ways to run a long task behind API Gateway.
///
/// Builds the release binaries, starts each variant and baseline in the local cloud, measures them in turns through
/// their public interfaces, and writes report.html, report.md and results.json. A function that does nothing is
/// measured as the floor. With --target aws it starts nothing, but measures the stacks that are deployed.
#[derive(Debug, Parser)]
#[command(version, after_help = HELP)]
pub(crate) struct Arguments {
    /// A first look in about two minutes, once everything is built: fewer samples at one rate, no limits, no single faults.
    #[arg(long)]
    quick: bool,

    /// The variants and baselines to compare, separated by commas; unless told otherwise all whose folders are there, or
    /// with --target aws the variants alone. The floor, noop, is always measured.
    #[arg(long, value_enum, value_delimiter = ',', hide_default_value = true)]
    variants: Vec<Variant>,

    /// Where the variants are: started in the local cloud, or deployed in the account and the Region that the environment
    /// names, as the AWS CLI takes it. What that will cost is shown first.
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = Where::Local, hide_default_value = true)]
    pub(crate) target: Where,

    /// With --target aws: the name of a variant's stack, or of noop's; lambda-offload-VARIANT unless told otherwise. Noop is
    /// left out where it is not deployed.
    #[arg(long = "stack", value_name = "VARIANT=NAME", value_parser = stack)]
    stacks: Vec<(Variant, String)>,

    /// With --target aws: do not ask whether it may cost that much.
    #[arg(long)]
    pub(crate) yes: bool,

    /// Beside that, hand in thousands of tasks while things break: `kill=0.02,duplicate=0.05,throttle=0.02,
    /// drop-response=0.02`, or a part of it; see `cargo infra up --help`.
    #[arg(long, value_name = "FAULT=PROBABILITY,…", value_parser = faults)]
    chaos: Option<String>,

    /// How many tasks, with `--chaos`; 10,000 unless told otherwise, or 500 in a quick run.
    #[arg(long, value_name = "N", requires = "chaos", value_parser = clap::value_parser!(u64).range(1..))]
    tasks: Option<u64>,

    /// Measure a task of your own as well, first of all: the body of POST /tasks, or @FILE with it. Each way runs it at least
    /// once, one after the other. It is printed in the report: put no secrets into it.
    #[arg(long, value_name = "JSON", value_parser = task_to_measure)]
    task: Option<Value>,

    /// Say as well what changed since an earlier run, and what of it is noise: its results.json.
    #[arg(long, value_name = "results.json")]
    against: Option<PathBuf>,

    /// The folder for the report and the logs; `target/compare` unless told otherwise.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Print a script that completes this command line in a shell, and do nothing else.
    #[arg(long, value_name = "SHELL", exclusive = true)]
    pub(crate) completions: Option<Shell>,
}

const HELP: &str = r#"A full run takes some ten minutes. The machine should be otherwise idle: functions, services and load generator
share its cores. Logs of the deployments go to logs/ beside the report. Ctrl-C ends all that was started, and leaves a report
of what was measured by then in interrupted/ beside it.

Exit code: 0 when every variant was measured to the end, and every accepted task came to the end that it should, as did every
run of your own; 1 when not, and when there is no report; 2 for wrong arguments.

Examples:
  cargo compare --quick
  cargo compare --variants self-invoke,split-lambda --out target/two
  cargo compare --quick --task '{"kind":"sleep","millis":2000}'
  cargo compare --against target/two/results.json
  cargo compare --quick --chaos kill=0.02,duplicate=0.05,throttle=0.02,drop-response=0.02,seed=1
  AWS_PROFILE=me cargo compare --target aws --variants split-lambda --stack split-lambda=my-tasks"#;

/// Where the variants are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Where {
    /// In the local cloud.
    Local,
    /// Deployed.
    Aws,
}

impl Arguments {
    /// Ends the program where they do not fit together.
    pub(crate) fn check(&self) {
        let is_local = self.target == Where::Local;
        let problem = if is_local && (self.yes || !self.stacks.is_empty()) {
            "--stack and --yes go with --target aws"
        } else if !is_local && self.chaos.is_some() {
            "--chaos breaks things in the local cloud; it cannot be used with --target aws"
        } else {
            return;
        };
        Self::command().error(ErrorKind::ArgumentConflict, problem).exit()
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = if self.quick {
            Settings::quick()
        } else {
            Settings::full()
        };
        if self.target == Where::Aws {
            settings = settings.deployed();
        }
        settings.soak = self.chaos.clone().map(|faults| soak::Plan {
            faults,
            tasks: self.tasks.unwrap_or(if settings.quick { 500 } else { 10_000 }),
        });
        settings.own_task = self.task.clone().map(|task| Plan::of(task, settings.quick));
        settings
    }

    /// In the order of the report, each once.
    pub(crate) fn variants(&self) -> Vec<Variant> {
        let all = Variant::ALL.into_iter().chain(Variant::BASELINES);
        let by_default = |variant: &Variant| {
            variant.is_in(&workspace::root()) && (self.target == Where::Local || variant.is_variant())
        };
        all.filter(|variant| match &self.variants[..] {
            _ if *variant == Variant::Noop => true,
            [] => by_default(variant),
            wanted => wanted.contains(variant),
        })
        .collect()
    }

    pub(crate) fn stacks(&self) -> BTreeMap<&'static str, String> {
        let named = |(variant, name): &(Variant, String)| (variant.name(), name.clone());
        self.stacks.iter().map(named).collect()
    }

    /// What an earlier run found, to compare with.
    ///
    /// # Errors
    /// Fails when it cannot be read.
    pub(crate) fn earlier(&self) -> Result<Option<Results>> {
        let read = |path: &PathBuf| {
            Results::read(path).context(
                "--against takes the results.json that an earlier run left in its folder, target/compare unless told \
                 otherwise",
            )
        };
        self.against.as_ref().map(read).transpose()
    }

    /// The folder for the report, which is made.
    ///
    /// # Errors
    /// Fails when it cannot be made.
    pub(crate) fn folder(&self) -> Result<PathBuf> {
        let folder = match &self.out {
            Some(folder) => folder.clone(),
            None => workspace::target_directory()?.join("compare"),
        };
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}; --out names another folder", folder.display()))?;
        Ok(folder)
    }
}

/// Looks at what is to go wrong before anything is measured; the local cloud is who knows what it means.
fn faults(text: &str) -> Result<String, String> {
    let mut seen = Vec::new();
    for part in text.split(',') {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| format!("{part:?} has no value: give it as KEY=VALUE"))?;
        let is_known = ["kill", "duplicate", "throttle", "drop-response", "seed"].contains(&key);
        if !is_known {
            return Err(format!(
                "there is no {key:?}: the keys are kill, duplicate, throttle, drop-response and seed"
            ));
        }
        if seen.contains(&key) {
            return Err(format!("{key} is given twice"));
        }
        seen.push(key);
        if key == "seed" {
            value
                .parse::<u64>()
                .map_err(|_| format!("seed is {value:?}, which is no whole number"))?;
        } else if !value.parse().is_ok_and(|value| (0.0..=1.0).contains(&value)) {
            return Err(format!("{key} is {value:?}, which is no probability from 0 to 1"));
        }
    }
    Ok(text.to_owned())
}

/// Looks whether it can be a task at all; whether it is one, the API says.
fn task_to_measure(text: &str) -> Result<Value, String> {
    let text = match text.strip_prefix('@') {
        Some(path) => fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?,
        None => text.to_owned(),
    };
    let task: Value = serde_json::from_str(&text).map_err(|error| format!("it is not JSON: {error}"))?;
    if task["kind"].is_string() {
        Ok(task)
    } else {
        Err(
            r#"it has no "kind": give what POST /tasks takes, {"kind":"sleep","millis":2000} for example"#
                .to_owned(),
        )
    }
}

fn stack(text: &str) -> Result<(Variant, String), String> {
    let (variant, name) = text
        .split_once('=')
        .filter(|(_, name)| !name.is_empty())
        .ok_or("give it as VARIANT=NAME")?;
    Ok((Variant::from_str(variant, false)?, name.to_owned()))
}
