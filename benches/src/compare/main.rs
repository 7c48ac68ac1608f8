//! `cargo compare`: starts every variant, or finds it where it is deployed, measures it, and writes a report that sets
//! them side by side.

mod arguments;
mod deployed;
mod interruption;

use std::io;
use std::process::ExitCode;

use anyhow::{Context, Result};
use benches::change::changes;
use benches::comparison::compare;
use benches::place::Place;
use benches::report::{self, terminal};
use benches::warnings::{Warning, warnings};
use clap::{CommandFactory, Parser};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::arguments::{Arguments, Where};
use crate::interruption::Interruption;

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
    // Now rather than after ten minutes: there may be none.
    let earlier = arguments.earlier()?;
    let settings = arguments.settings();
    let mut variants = arguments.variants();
    let place = match arguments.target {
        Where::Local => Place::Local,
        Where::Aws => {
            let account = deployed::account(&arguments, &settings, &mut variants).await?;
            Place::Aws(Box::new(account))
        }
    };
    // This too now rather than after ten minutes, but not before it is agreed that anything is measured.
    let folder = arguments.folder()?;
    raise_open_files();
    let mut interruption = Interruption::listen().context("cannot listen for signals")?;
    let mut results = compare(&place, &variants, settings, &folder, interruption.comes()).await?;
    results.changes = earlier.map(|earlier| changes(&earlier, &results));
    // The report of a whole run is not to be written over by a part of one.
    let folder = match results.interrupted {
        Some(_) => folder.join("interrupted"),
        None => folder,
    };
    let reports = report::write(&results, &folder)?;
    println!("{}", terminal::summary(&results)?);
    for path in reports {
        println!("{}", path.display());
    }
    Ok(if warnings(&results).iter().any(Warning::is_fatal) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

/// A burst has a connection for each of its requests. Where there may not be so many, it says so itself.
fn raise_open_files() {
    if let Ok((_, most)) = getrlimit(Resource::RLIMIT_NOFILE) {
        let _ = setrlimit(Resource::RLIMIT_NOFILE, most, most);
    }
}
