//! `cargo compare`: starts every variant, measures it, and writes a report that sets them side by side.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use benches::change::changes;
use benches::comparison::compare;
use benches::report::{self, terminal};
use benches::results::{Results, Settings};
use benches::soak::Plan;
use benches::variant::Variant;
use benches::warnings::{Warning, warnings};
use benches::workspace;
use clap::Parser;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Compares the ways to run a long task behind API Gateway.
///
/// Builds the release binaries, starts each variant and baseline in the local cloud, measures them in turns through
/// their public interfaces, and writes report.html, report.md and results.json. A function that does nothing is
/// measured as the floor.
#[derive(Debug, Parser)]
#[command(version, after_help = HELP)]
struct Arguments {
    /// A first look in about a minute and a half, once everything is built: fewer samples, no limits, no single faults.
    #[arg(long)]
    quick: bool,

    /// The variants and baselines to compare, separated by commas; all of them unless told otherwise. The floor, noop,
    /// is always measured.
    #[arg(long, value_enum, value_delimiter = ',', hide_default_value = true)]
    variants: Vec<Variant>,

    /// Beside that, hand in thousands of tasks while things break: `kill=0.02,duplicate=0.05,throttle=0.02,
    /// drop-response=0.02`, or a part of it; see `cargo infra up --help`.
    #[arg(long, value_name = "FAULT=PROBABILITY,…")]
    chaos: Option<String>,

    /// How many tasks, with `--chaos`; 10,000 unless told otherwise, or 500 in a quick run.
    #[arg(long, value_name = "N", requires = "chaos", value_parser = clap::value_parser!(u64).range(1..))]
    tasks: Option<u64>,

    /// Say as well what changed since an earlier run, and what of it is noise: its results.json.
    #[arg(long, value_name = "results.json")]
    against: Option<PathBuf>,

    /// The folder for the report and the logs; `target/compare` unless told otherwise.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

const HELP: &str = "\
A full run takes some nine minutes. The machine should be otherwise idle: functions, services and load generator
share its cores. Logs of the deployments go to logs/ beside the report.

Exit code: 0 when every variant was measured and every accepted task succeeded, 1 when not, 2 for wrong arguments.

Examples:
  cargo compare --quick
  cargo compare --variants self-invoke,split-lambda --out target/two
  cargo compare --against target/two/results.json
  cargo compare --quick --chaos kill=0.02,duplicate=0.05,throttle=0.02,drop-response=0.02,seed=1";

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
    let folder = match arguments.out {
        Some(folder) => folder,
        None => workspace::target_directory()?.join("compare"),
    };
    let mut settings = if arguments.quick {
        Settings::quick()
    } else {
        Settings::full()
    };
    settings.soak = arguments.chaos.map(|faults| Plan {
        faults,
        tasks: arguments
            .tasks
            .unwrap_or(if settings.quick { 500 } else { 10_000 }),
    });
    // Now rather than after ten minutes: there may be none.
    let earlier = arguments.against.as_deref().map(Results::read).transpose()?;
    let variants = ordered(&arguments.variants);
    raise_open_files();
    let mut interruption = Interruption::listen().context("cannot listen for signals")?;
    let mut results = tokio::select! {
        results = compare(&variants, settings, &folder) => results,
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

/// In the order of the report, each once; all where none is named.
fn ordered(wanted: &[Variant]) -> Vec<Variant> {
    let all = Variant::ALL.into_iter().chain(Variant::BASELINES);
    all.filter(|variant| wanted.is_empty() || wanted.contains(variant) || *variant == Variant::Noop)
        .collect()
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
