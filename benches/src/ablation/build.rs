//! Builds the function of a row, and the template that deploys it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::rows::{How, Row};
use crate::workspace;

/// The parts of self-invoke's template that have its code built from this workspace, and what stands there instead: the
/// template's own folder, where the binary is.
const CODE: [(&str, &str); 2] = [
    (
        "    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties:\n        Binary: self-invoke\n",
        "",
    ),
    ("CodeUri: ../\n", "CodeUri: .\n"),
];

/// Where the function's variables begin.
const VARIABLES: &str = "        Variables:\n";

/// Builds the function of this row and puts it into a folder, with a template that deploys it. Answers the template.
///
/// Cargo keeps what it builds with different settings apart, so all rows are built in the same folder, and a second run
/// builds nothing.
pub(super) fn template(row: &Row, target_directory: &Path) -> Result<PathBuf> {
    let builds = target_directory.join("ablation");
    cargo(row, &builds)?;
    let folder = super::folder(target_directory, row.name);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::copy(builds.join("release/ablation"), folder.join("bootstrap")).context("cannot copy the binary")?;
    let template = folder.join("self-invoke.yaml");
    fs::write(&template, text(row)?).with_context(|| format!("cannot write {}", template.display()))?;
    Ok(template)
}

fn cargo(row: &Row, builds: &Path) -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo
        .args([
            "build",
            "--quiet",
            "--release",
            "--package",
            "ablation",
            "--target-dir",
        ])
        .arg(builds);
    match row.how {
        How::Build(name, value) => cargo.env(name, value),
        How::Feature(feature) => cargo.args(["--features", feature]),
        How::Not | How::Variable(..) | How::Floor => &mut cargo,
    };
    let status = cargo.status().context("cannot run cargo")?;
    ensure!(status.success(), "{} does not build", row.name);
    Ok(())
}

fn text(row: &Row) -> Result<String> {
    let original = workspace::root().join("infra/self-invoke.yaml");
    let mut text =
        fs::read_to_string(&original).with_context(|| format!("cannot read {}", original.display()))?;
    let mut replace = |from: &str, to: &str| {
        ensure!(text.contains(from), "{} has no {from:?}", original.display());
        text = text.replacen(from, to, 1);
        Ok(())
    };
    for (from, to) in CODE {
        replace(from, to)?;
    }
    if let How::Variable(name, value) = row.how {
        replace(VARIABLES, &format!("{VARIABLES}          {name}: {value}\n"))?;
    }
    Ok(text)
}
