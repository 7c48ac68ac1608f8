//! What makes a cold start fast: the function self-invoke with one thing changed at a time, each measured in turns with the
//! unchanged one, over TLS. The bench `ablation` does it, which takes its time to build; `compare` shows what it left.
//!
//! The function is built from the package `benches/ablation`, whose features are the changes of its code.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::results::FirstInvocation;
use crate::workspace;

mod build;
mod measure;
mod rows;

pub use measure::measure;
pub use rows::{ROWS, Row};

/// How it is run.
pub const COMMAND: &str = "cargo bench -p benches --bench ablation";

/// The row that all others are held against.
pub const UNCHANGED: &str = "unchanged";

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ablation {
    /// When it began.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// What it was measured on.
    pub machine: Machine,
    /// What was measured with the functions' own memory and as much CPU as the machine has; the unchanged one first.
    pub rows: Vec<Ablated>,
    /// The same of some with 128 MB and the CPU share that goes with it; empty where the system could not impose it.
    pub with_128_mb: Vec<Ablated>,
}

/// What was measured with one thing changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ablated {
    /// The name of the row.
    pub name: String,
    /// What was changed.
    pub change: String,
    /// The size of the function's binary.
    pub binary_bytes: u64,
    /// Its cold starts.
    pub first_invocation: FirstInvocation,
}

impl Ablation {
    /// What the last run left; `None` where there is nothing that can be read.
    pub fn left() -> Option<Self> {
        let text = fs::read_to_string(Self::file().ok()?).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Leaves it for `compare`. Answers where.
    ///
    /// # Errors
    /// Fails when it cannot be written.
    pub fn leave(&self) -> Result<PathBuf> {
        let path = Self::file()?;
        let text = serde_json::to_string(self)?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    fn file() -> Result<PathBuf> {
        Ok(workspace::target_directory()?.join("ablation.json"))
    }
}

/// Where what the bench makes of its own is kept.
fn folder(target_directory: &Path, row: &str) -> PathBuf {
    target_directory.join("ablation").join("rows").join(row)
}
