//! What makes a cold start fast: builds the function self-invoke with one thing changed at a time, measures each in turns
//! with the unchanged one, prints a table, and leaves the figures for `cargo compare`. Without Criterion, because rows that
//! are measured one after the other would be measured on different machines.

use std::process::ExitCode;

use anyhow::Result;
use benches::ablation::{ROWS, Row, UNCHANGED, measure};
use benches::report::terminal;
use clap::Parser;
use tokio::runtime::Runtime;

/// Measures what makes a cold start fast.
///
/// Each row takes one to four minutes to build for the first time.
#[derive(Parser)]
struct Arguments {
    /// The rows, separated by commas; all of them unless told otherwise. The unchanged function is always measured.
    #[arg(long, value_name = "ROW,…", value_delimiter = ',')]
    rows: Vec<String>,
    /// How many cold starts of each.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Set by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if !arguments.bench {
        // `cargo test --all-targets` starts benches too.
        return Ok(ExitCode::SUCCESS);
    }
    let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
    if let Some(unknown) = arguments.rows.iter().find(|name| !names.contains(&name.as_str())) {
        eprintln!("there is no row {unknown}; there are {}", names.join(", "));
        return Ok(ExitCode::from(2));
    }
    let is_wanted = |row: &&Row| {
        arguments.rows.is_empty()
            || row.name == UNCHANGED
            || arguments.rows.iter().any(|name| name == row.name)
    };
    let rows: Vec<Row> = ROWS.iter().filter(is_wanted).copied().collect();
    let ablation = Runtime::new()?.block_on(measure(&rows, arguments.rounds))?;
    print!("\n{}", terminal::ablation(&ablation)?);
    println!("{}", ablation.leave()?.display());
    Ok(ExitCode::SUCCESS)
}
