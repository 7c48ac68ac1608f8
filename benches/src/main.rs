//! `cargo compare`: starts every variant, or finds it where it is deployed, measures it, and writes a report that sets
//! them side by side.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use benches::aws::Aws;
use benches::change::changes;
use benches::comparison::compare;
use benches::deployment::Deployment;
use benches::estimate::{Estimate, Measure};
use benches::own_task::Plan;
use benches::place::{Account, Place};
use benches::report::{self, terminal};
use benches::results::{Results, Settings};
use benches::soak;
use benches::target::Target;
use benches::variant::Variant;
use benches::warnings::{Warning, warnings};
use benches::workspace;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use clap_complete::Shell;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Compares the ways to run a long task behind API Gateway.
///
/// Builds the release binaries, starts each variant and baseline in the local cloud, measures them in turns through
/// their public interfaces, and writes report.html, report.md and results.json. A function that does nothing is
/// measured as the floor. With --target aws it starts nothing, but measures the stacks that are deployed.
#[derive(Debug, Parser)]
#[command(version, after_help = HELP)]
struct Arguments {
    /// A first look in about a minute and a half, once everything is built: fewer samples, no limits, no single faults.
    #[arg(long)]
    quick: bool,

    /// The variants and baselines to compare, separated by commas; all of them unless told otherwise, or with --target aws
    /// the variants alone. The floor, noop, is always measured.
    #[arg(long, value_enum, value_delimiter = ',', hide_default_value = true)]
    variants: Vec<Variant>,

    /// Where the variants are: started in the local cloud, or deployed in the account and the Region that the environment
    /// names, as the AWS CLI takes it. What that will cost is shown first.
    #[arg(long, value_enum, value_name = "WHERE", default_value_t = Where::Local, hide_default_value = true)]
    target: Where,

    /// With --target aws: the name of a variant's stack, or of noop's; lambda-offload-VARIANT unless told otherwise. Noop is
    /// left out where it is not deployed.
    #[arg(long = "stack", value_name = "VARIANT=NAME", value_parser = stack)]
    stacks: Vec<(Variant, String)>,

    /// With --target aws: do not ask whether it may cost that much.
    #[arg(long)]
    yes: bool,

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
    completions: Option<Shell>,
}

const HELP: &str = r#"A full run takes some nine minutes. The machine should be otherwise idle: functions, services and load generator
share its cores. Logs of the deployments go to logs/ beside the report.

Exit code: 0 when every variant was measured, and every accepted task and every run of your own succeeded; 1 when not, and
when there is no report; 2 for wrong arguments.

Examples:
  cargo compare --quick
  cargo compare --variants self-invoke,split-lambda --out target/two
  cargo compare --quick --task '{"kind":"sleep","millis":2000}'
  cargo compare --against target/two/results.json
  cargo compare --quick --chaos kill=0.02,duplicate=0.05,throttle=0.02,drop-response=0.02,seed=1
  AWS_PROFILE=me cargo compare --target aws --variants split-lambda --stack split-lambda=my-tasks"#;

/// Where the variants are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Where {
    /// In the local cloud.
    Local,
    /// Deployed.
    Aws,
}

/// Looks at what is to go wrong before anything is measured; the local cloud is who knows what it means.
fn faults(text: &str) -> Result<String, String> {
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
        if key != "seed" && !value.parse().is_ok_and(|value| (0.0..=1.0).contains(&value)) {
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

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(shell) = arguments.completions {
        clap_complete::generate(shell, &mut Arguments::command(), "compare", &mut io::stdout());
        return Ok(ExitCode::SUCCESS);
    }
    arguments.check();
    let settings = arguments.settings();
    let folder = match &arguments.out {
        Some(folder) => folder.clone(),
        None => workspace::target_directory()?.join("compare"),
    };
    // Now rather than after ten minutes: there may be none.
    let earlier = arguments.against.as_deref().map(earlier).transpose()?;
    let mut variants = arguments.variants();
    let place = match arguments.target {
        Where::Local => Place::Local,
        Where::Aws => {
            let account = Account {
                aws: Aws::of_environment().await?,
                stacks: arguments.stacks(),
            };
            let deployments = find(&account, &mut variants).await?;
            confirm(&Estimate::of(&settings, &deployments)?, arguments.yes)?;
            Place::Aws(Box::new(account))
        }
    };
    // This too now rather than after ten minutes.
    fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}; --out names another folder", folder.display()))?;
    raise_open_files();
    let mut interruption = Interruption::listen().context("cannot listen for signals")?;
    let mut results = tokio::select! {
        results = compare(&place, &variants, settings, &folder) => results?,
        interruption = interruption.comes() => bail!("{interruption}"),
    };
    results.changes = earlier.map(|earlier| changes(&earlier, &results));
    for path in report::write(&results, &folder)? {
        println!("{}", path.display());
    }
    print!("\n{}", terminal::summary(&results)?);
    Ok(if warnings(&results).iter().any(Warning::is_fatal) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn earlier(path: &Path) -> Result<Results> {
    Results::read(path).context(
        "--against takes the results.json that an earlier run left in its folder, target/compare unless told otherwise",
    )
}

impl Arguments {
    /// Ends the program where they do not fit together.
    fn check(&self) {
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

    fn settings(&self) -> Settings {
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
    fn variants(&self) -> Vec<Variant> {
        let all = Variant::ALL.into_iter().chain(Variant::BASELINES);
        let by_default = |variant: &Variant| self.target == Where::Local || variant.is_variant();
        all.filter(|variant| match &self.variants[..] {
            _ if *variant == Variant::Noop => true,
            [] => by_default(variant),
            wanted => wanted.contains(variant),
        })
        .collect()
    }

    fn stacks(&self) -> BTreeMap<&'static str, String> {
        let named = |(variant, name): &(Variant, String)| (variant.name(), name.clone());
        self.stacks.iter().map(named).collect()
    }
}

/// Finds the stacks of the variants, each of which has to be there; but the floor is left out if it is not.
async fn find(account: &Account, variants: &mut Vec<Variant>) -> Result<Vec<Measure>> {
    let floor = account.stack(Variant::Noop);
    if Target::find(&account.aws, &floor, Variant::Noop).await?.is_none() {
        eprintln!("noop: left out, for there is no stack {floor}");
        variants.retain(|variant| *variant != Variant::Noop);
    }
    let mut found = Vec::new();
    for &variant in &*variants {
        let deployment = Deployment::find(variant, account).await?;
        found.push(Measure::of(&deployment.target).await?);
        eprintln!("{variant}: stack {}", account.stack(variant));
    }
    Ok(found)
}

/// Shows what it will cost, and asks whether it may.
fn confirm(estimate: &Estimate, is_confirmed: bool) -> Result<()> {
    eprintln!("{estimate}");
    if is_confirmed {
        return Ok(());
    }
    let stdin = io::stdin();
    ensure!(
        stdin.is_terminal(),
        "there is no terminal to ask on whether it may cost that much: say so with --yes"
    );
    eprint!("Go on? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    stdin.read_line(&mut answer)?;
    ensure!(
        ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()),
        "nothing was measured"
    );
    Ok(())
}

/// A burst has a connection for each of its requests. Where there may not be so many, it says so itself.
fn raise_open_files() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}

/// Requests to stop. The deployment ends when the comparison is dropped.
struct Interruption {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Interruption {
    /// Listens from here on. Before a deployment is started: a signal that nobody listens for would end this process
    /// and leave the deployment behind.
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one. Answers which it was.
    async fn comes(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupted",
            _ = self.terminate.recv() => "terminated",
            _ = self.hang_up.recv() => "the terminal is gone",
        }
    }
}
