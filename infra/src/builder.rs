//! Builds functions as SAM would: a Cargo binary, in release mode unless told otherwise, or a folder that holds an
//! executable `bootstrap`
//! (<https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/building-rust.html>). What a
//! container's image holds is built in the same way.
//!
//! SAM runs cargo-lambda, which names the binary and no package: Cargo then builds from the default members of the workspace,
//! with the features that all of them ask for of what they share
//! (<https://doc.rust-lang.org/cargo/reference/workspaces.html#the-default-members-field>). So it is done here for what SAM
//! builds, for what runs here has to be what runs there.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use escargot::format::{Message, Target};
use serde::Deserialize;
use tokio::process::Command;

use crate::{
    process::Host,
    template::{Code, Stack},
};

/// Builds everything that has to be built, with the Cargo profile `profile`. Answers the executables of the functions and
/// of the service, by their logical ids. What Cargo has to say goes to standard error. Dropped before the end, it stops Cargo
/// and what that has started.
///
/// # Errors
///
/// Something does not build, or there is no executable where the template says.
pub async fn executables(
    stack: &Stack,
    profile: &str,
    host: &Host,
) -> anyhow::Result<HashMap<String, PathBuf>> {
    let functions = stack.functions.iter().map(|it| (&it.logical_id, &it.code));
    let service = stack
        .container_service
        .iter()
        .map(|it| (&it.logical_id, &it.code));
    let programs: Vec<_> = functions.chain(service).collect();
    let mut wanted: BTreeMap<&Path, BTreeSet<&str>> = BTreeMap::new();
    for (_, code) in &programs {
        if let Code::CargoBinary { directory, binary } = code {
            wanted.entry(directory).or_default().insert(binary);
        }
    }
    let mut built = HashMap::new();
    for (directory, binaries) in wanted {
        for (binary, executable) in build(directory, &binaries, profile, host).await? {
            built.insert((directory, binary), executable);
        }
    }
    let executable = |logical_id: &String, code: &Code| match code {
        Code::CargoBinary { directory, binary } => built
            .get(&(directory.as_path(), binary.clone()))
            .cloned()
            .with_context(|| format!("{logical_id}: Cargo built no binary {binary}")),
        // The template was refused if it is not there.
        Code::Bootstrap { directory } => Ok(directory.join("bootstrap")),
    };
    programs
        .into_iter()
        .map(|(logical_id, code)| Ok((logical_id.clone(), executable(logical_id, code)?)))
        .collect()
}

/// Builds binaries of the workspace at `directory`. Where they are not all of its default members, their packages are named:
/// Cargo would not find them otherwise.
async fn build(
    directory: &Path,
    binaries: &BTreeSet<&str>,
    profile: &str,
    host: &Host,
) -> anyhow::Result<HashMap<String, PathBuf>> {
    let packages = packages_to_name(directory, binaries, host).await?;
    let mut cargo = cargo();
    cargo.current_dir(directory).args([
        "build",
        "--profile",
        profile,
        "--message-format=json-render-diagnostics",
    ]);
    cargo.args(packages.iter().flat_map(|package| ["--package", package]));
    cargo.args(binaries.iter().flat_map(|binary| ["--bin", binary]));
    let output = host.output(cargo).await.context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "the functions in {} do not build",
        directory.display()
    );
    let mut executables = HashMap::new();
    for line in output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| line.starts_with(b"{"))
    {
        let Ok(Message::CompilerArtifact(artifact)) = serde_json::from_slice::<Message<'_>>(line) else {
            continue;
        };
        let Target { name, .. } = &artifact.target;
        if let Some(executable) = artifact.executable {
            executables.insert(name.to_string(), executable.into_owned());
        }
    }
    Ok(executables)
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_default_members: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    targets: Vec<PackageTarget>,
}

#[derive(Deserialize)]
struct PackageTarget {
    name: String,
    kind: Vec<String>,
}

impl Package {
    fn has_binary(&self, name: &str) -> bool {
        let is_it = |target: &PackageTarget| target.name == name && target.kind.iter().any(|it| it == "bin");
        self.targets.iter().any(is_it)
    }
}

/// The packages that have the binaries; none where all of them are default members.
async fn packages_to_name(
    directory: &Path,
    binaries: &BTreeSet<&str>,
    host: &Host,
) -> anyhow::Result<BTreeSet<String>> {
    let mut cargo = cargo();
    cargo
        .current_dir(directory)
        .args(["metadata", "--no-deps", "--format-version", "1"]);
    let output = host.output(cargo).await.context("cannot run cargo")?;
    ensure!(
        output.status.success(),
        "{} is not a Cargo workspace",
        directory.display()
    );
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let mut are_default = true;
    let mut names = BTreeSet::new();
    for binary in binaries {
        let mut packages = metadata.packages.iter();
        let package = packages
            .find(|package| package.has_binary(binary))
            .with_context(|| format!("no package in {} has a binary {binary}", directory.display()))?;
        are_default &= metadata.workspace_default_members.contains(&package.id);
        names.insert(package.name.clone());
    }
    Ok(if are_default { BTreeSet::new() } else { names })
}

/// The Cargo that runs us, or the one on the path.
fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    for name in variables_of_cargo() {
        cargo.env_remove(name);
    }
    cargo
}

/// The variables that Cargo has set for us, if it runs us. Another Cargo must not get them: there are build scripts, ring's
/// for one, that run again whenever these differ, and everything would be built anew each time that `cargo infra`,
/// `cargo compare` and `cargo test` take turns
/// (<https://doc.rust-lang.org/cargo/reference/environment-variables.html#environment-variables-cargo-sets-for-crates>).
pub fn variables_of_cargo() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    })
}
