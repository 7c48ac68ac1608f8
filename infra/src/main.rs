//! The command `infra`: runs the variants' templates on this machine, and deploys them to AWS.

use std::{path::PathBuf, process::ExitCode, thread::available_parallelism};

use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use infra::{
    deploy::{Deploy, Destroy, Logs, Outputs},
    process::reaper,
    up::Up,
};

/// Runs SAM templates on this machine, or deploys them.
#[derive(Parser)]
#[command(name = "infra", version, after_help = HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const HELP: &str = "\
Exit code: 0 when it was done, and for `up` when it was interrupted (Ctrl-C); 1 when it could not be done, with the reason;
2 for wrong arguments.";

#[derive(Subcommand)]
enum Command {
    /// Run a template on this machine until Ctrl-C: HTTP API, functions, queues, event source mappings, tables
    Up(Up),
    /// Build a variant and deploy it to AWS, with SAM and cargo-lambda; say before what that creates and costs
    Deploy(Deploy),
    /// Print the outputs of a deployed variant: its URL, its functions
    Outputs(Outputs),
    /// Print what the functions of a deployed variant have logged
    Logs(Logs),
    /// Delete a deployed variant
    Destroy(Destroy),
    /// Print a script that completes this command line in a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Kill what a local cloud leaves behind; started by `up` itself
    #[command(name = reaper::SUBCOMMAND, hide = true)]
    Reaper {
        /// Control groups to remove when everything in them is dead
        control_groups: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Up(up) => run(up),
        Command::Deploy(deploy) => deploy.run(),
        Command::Outputs(outputs) => outputs.run(),
        Command::Logs(logs) => logs.run(),
        Command::Destroy(destroy) => destroy.run(),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "infra", &mut std::io::stdout());
            Ok(())
        }
        Command::Reaper { control_groups } => reaper::run(&control_groups).map_err(anyhow::Error::from),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(up: Up) -> anyhow::Result<()> {
    // The other cores are for functions, and for who calls them. With a thread for each core, threads would wake each other
    // in every request: with two cores, a warm invocation would take a quarter longer.
    let threads = (available_parallelism()?.get() / 2).max(1);
    // Dropping the runtime drops every task, and with them every process that they started.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?
        .block_on(up.run())
}
