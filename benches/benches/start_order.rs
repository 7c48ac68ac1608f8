//! Follows the variants' functions until they first poll for work, and writes down which code ran: `shared/start/order.ld`,
//! by which the linker puts it together. To be run again when Rust, a dependency or the functions' start has changed.
//! Needs Valgrind, so it runs only when it is named.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use benches::first_poll::{order, symbols};
use benches::variant::Variant;
use benches::workspace;
use tokio::runtime::Runtime;

fn main() -> Result<()> {
    // `cargo test --all-targets` starts benches too.
    if std::env::args().any(|argument| argument == "--bench") {
        Runtime::new()?.block_on(write())?;
    }
    Ok(())
}

async fn write() -> Result<()> {
    let root = workspace::root();
    let variants = Variant::ALL.into_iter().filter(|variant| variant.is_in(&root));
    let functions: Vec<&str> = variants.flat_map(Variant::binaries).copied().collect();
    let builds = workspace::target_directory()?.join("start-order");
    let build = workspace::cargo()
        .args([
            "build",
            "--release",
            "--config",
            "profile.release.strip='none'",
            "--target-dir",
        ])
        .arg(&builds)
        .args(functions.iter().flat_map(|function| ["--bin", function]))
        .status()
        .context("cannot run cargo")?;
    ensure!(build.success(), "the functions do not build");
    let mut all = BTreeSet::new();
    for function in functions {
        let ran = symbols(&builds.join("release").join(function)).await?;
        println!("{function}: {} functions", ran.len());
        all.extend(ran);
    }
    let path = root.join("shared/start/order.ld");
    fs::write(&path, order(&all)).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{}: {} functions", path.display(), all.len());
    Ok(())
}
