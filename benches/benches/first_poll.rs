//! Each variant's functions and the floor by themselves, from the start of the process to its first poll for work: how long
//! it takes and how much memory, in turns on the same machine. Without Criterion, as `ablation` is, for the sake of the turns.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use benches::cold::microseconds;
use benches::first_poll::{Start, forget, start};
use benches::statistics::Distribution;
use benches::variant::Variant;
use benches::workspace;
use clap::Parser;
use tokio::runtime::Runtime;

/// Measures what a function takes until it first polls for work.
#[derive(Parser)]
struct Arguments {
    /// How many starts of each.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Each start reads the binary from the disk, as on a machine that has just got it. How much is read ahead is the
    /// system's choice (`/sys/block/DISK/queue/read_ahead_kb`).
    #[arg(long)]
    from_disk: bool,
    /// Further binaries to measure, of functions that take the same settings.
    #[arg(value_name = "BINARY")]
    more: Vec<PathBuf>,
    /// Set by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // `cargo test --all-targets` starts benches too.
    if arguments.bench {
        Runtime::new()?.block_on(measure(arguments))?;
    }
    Ok(())
}

async fn measure(arguments: Arguments) -> Result<()> {
    let build = workspace::cargo().args(["build", "--release"]).status();
    ensure!(
        build.context("cannot run cargo")?.success(),
        "the functions do not build"
    );
    let folder = workspace::target_directory()?.join("release");
    let variants = Variant::ALL
        .into_iter()
        .filter(|variant| variant.is_in(&workspace::root()));
    let names = [Variant::Noop]
        .into_iter()
        .chain(variants)
        .flat_map(Variant::binaries);
    let functions: Vec<PathBuf> = names
        .map(|name| folder.join(name))
        .chain(arguments.more)
        .collect();
    let mut starts: Vec<Vec<Start>> = vec![Vec::new(); functions.len()];
    for _ in 0..arguments.rounds {
        for (function, starts) in functions.iter().zip(&mut starts) {
            if arguments.from_disk {
                forget(function)?;
            }
            starts.push(start(function).await?);
        }
    }
    print(&functions, &starts)
}

/// Medians, and what multiple they are of the floor's.
fn print(functions: &[PathBuf], starts: &[Vec<Start>]) -> Result<()> {
    let medians: Vec<[f64; 2]> = starts
        .iter()
        .map(|starts| medians(starts))
        .collect::<Result<_>>()?;
    let [least_time, least_memory] = medians[0];
    println!("{:20} {:>17} {:>18}", "function", "to first poll", "most memory");
    for (function, [time, memory]) in functions.iter().zip(medians) {
        println!(
            "{:20} {:7.2} ms {:4.2} × {:8.2} MB {:4.2} ×",
            name(function),
            time / 1e3,
            time / least_time,
            memory / 1e6,
            memory / least_memory,
        );
    }
    Ok(())
}

/// Of the time, in microseconds, and of the memory.
fn medians(starts: &[Start]) -> Result<[f64; 2]> {
    let time = Distribution::of(starts.iter().map(|start| microseconds(start.duration)))?;
    let memory = Distribution::of(starts.iter().map(|start| start.most_memory))?;
    Ok([time.p50 as f64, memory.p50 as f64])
}

fn name(function: &Path) -> String {
    function.file_name().unwrap_or_default().display().to_string()
}
