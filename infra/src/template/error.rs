//! What can be wrong with a template: a [`Problem`] names the line, the path and the remedy, and a
//! [`TemplateError`] is all the problems that one reading found.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a template was refused.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file could not be opened or read.
    #[error("the template {} cannot be read", .file.display())]
    Read {
        /// The file as it was asked for.
        file: PathBuf,
        /// The reason of the operating system.
        source: io::Error,
    },
    /// The file was read, and the local cloud cannot run what it says.
    #[error("{}", report(.file, .problems))]
    Invalid {
        /// The file as it was asked for.
        file: PathBuf,
        /// What is wrong, in the order of the lines; never empty.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Line of the template, counted from 1.
    pub line: usize,
    /// Path of the value, such as `Resources.Function.Properties.Timeout`; empty for the whole document.
    pub path: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(formatter, "{}: {}", self.line, self.message)
        } else {
            write!(formatter, "{}: {}: {}", self.line, self.path, self.message)
        }
    }
}

fn report(file: &Path, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}:{problem}", file.display()))
        .collect();
    lines.join("\n")
}

/// Where a value stands in the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) path: String,
}

impl Place {
    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem {
            line: self.line,
            path: self.path.clone(),
            message: message.into(),
        }
    }

    /// The place of a named part of what stands here.
    pub(super) fn part(&self, name: &str) -> Self {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Self {
            line: self.line,
            path,
        }
    }

    /// The place of the item with this index of the list that stands here.
    pub(super) fn item(&self, index: usize) -> Self {
        Self {
            line: self.line,
            path: format!("{}[{index}]", self.path),
        }
    }
}

/// The problems found so far, so that one reading can report more than the first.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Keeps the problems of a failed result, and passes the value of a good one on.
    pub(super) fn absorb<T, E: Into<Problems>>(&mut self, result: Result<T, E>) -> Option<T> {
        result.map_err(|problems| self.0.extend(problems.into().0)).ok()
    }

    /// Fails if anything was found.
    pub(super) fn check(self) -> Result<(), Problems> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The problems in the order of the lines, each once: a value that comes from `Globals` is read for every
    /// function.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.0.sort_by(|one, other| {
            (one.line, &one.path, &one.message).cmp(&(other.line, &other.path, &other.message))
        });
        self.0.dedup();
        self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}
