//! What is compared: the variants, the baselines beside them, and the floor below them all. The one place that knows
//! how each is called, which template deploys it, and which function plays which part in it.

mod profiles;

use std::fmt;
use std::path::Path;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::profiles::{Profile, Work};

/// A way to run a task behind the API.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// One function serves the API and invokes itself asynchronously.
    SelfInvoke,
    /// The API function sends each task to an SQS queue that feeds a worker function.
    SqsWorker,
    /// The API function invokes a worker function asynchronously.
    SplitLambda,
    /// Baseline: the task runs within the request.
    Synchronous,
    /// Baseline: the task is spawned before the response, and freezes with the environment after it.
    Background,
    /// Baseline: an internal extension goes on with the task after the response.
    Extension,
    /// Baseline: the API itself sends the request to an SQS queue that feeds a worker function.
    QueueIntegration,
    /// Baseline: a server that is always there, behind a load balancer.
    AlwaysOn,
    /// The floor: a function that answers at once and accepts no task.
    Noop,
}

/// What a way is in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One of the three that can be deployed.
    Variant,
    /// What they are held against.
    Baseline,
    /// What any function costs.
    Floor,
}

impl Variant {
    /// The three that can be deployed.
    pub const ALL: [Self; 3] = [Self::SelfInvoke, Self::SqsWorker, Self::SplitLambda];

    /// What they are held against, the floor last.
    pub const BASELINES: [Self; 6] = [
        Self::Synchronous,
        Self::Background,
        Self::Extension,
        Self::QueueIntegration,
        Self::AlwaysOn,
        Self::Noop,
    ];

    fn profile(self) -> &'static Profile {
        match self {
            Self::SelfInvoke => &profiles::SELF_INVOKE,
            Self::SqsWorker => &profiles::SQS_WORKER,
            Self::SplitLambda => &profiles::SPLIT_LAMBDA,
            Self::Synchronous => &profiles::SYNCHRONOUS,
            Self::Background => &profiles::BACKGROUND,
            Self::Extension => &profiles::EXTENSION,
            Self::QueueIntegration => &profiles::QUEUE_INTEGRATION,
            Self::AlwaysOn => &profiles::ALWAYS_ON,
            Self::Noop => &profiles::NOOP,
        }
    }

    /// The name on the command line and in the reports.
    pub fn name(self) -> &'static str {
        self.profile().name
    }

    /// How a task gets from the request to the code that runs it.
    pub fn description(self) -> &'static str {
        self.profile().description
    }

    /// What it is in the comparison.
    pub fn role(self) -> Role {
        self.profile().role
    }

    /// Whether it is one of the three that can be deployed.
    pub fn is_variant(self) -> bool {
        self.role() == Role::Variant
    }

    /// What `cargo infra up` is told to start: a variant's name, or a template relative to the workspace root.
    pub fn template(self) -> String {
        match self.role() {
            Role::Variant => self.name().to_owned(),
            Role::Baseline | Role::Floor => format!("benches/templates/{}.yaml", self.name()),
        }
    }

    /// The parameters of its template with which an attempt at a task may take so many seconds, where that matters.
    pub fn with_task_timeout(self, seconds: u32) -> Vec<(&'static str, u32)> {
        match self {
            // Not six times, as AWS advises (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html): a
            // worker that dies before it has hidden its message for the first time leaves it hidden for as long, which is
            // more than tasks are followed for.
            Self::SqsWorker => vec![("TaskTimeout", seconds), ("VisibilityTimeout", seconds)],
            // In the last, a message stays hidden for as long.
            Self::SelfInvoke | Self::SplitLambda | Self::QueueIntegration => vec![("TaskTimeout", seconds)],
            _ => Vec::new(),
        }
    }

    /// Whether a function answers `POST /tasks`.
    pub fn has_api_function(self) -> bool {
        self.profile().has_api_function
    }

    /// How many functions it has.
    pub fn functions(self) -> usize {
        self.profile().functions
    }

    /// What Cargo builds for it: the binary of each function or container.
    pub fn binaries(self) -> &'static [&'static str] {
        self.profile().binaries
    }

    /// Its own sources, relative to the workspace root.
    pub fn sources(self) -> &'static [&'static str] {
        self.profile().sources
    }

    /// Whether the workspace at `root` has it: who keeps one variant deletes the folders of the others.
    pub fn is_in(self, root: &Path) -> bool {
        self.sources().iter().all(|source| root.join(source).exists())
    }

    /// Whether something sees to it that a task that it accepts comes to its end, so that the end can be waited for.
    pub fn ends_tasks(self) -> bool {
        matches!(self.profile().work, Work::Later | Work::WithinTheRequest)
    }

    /// Whether a task is run by an invocation of its own, for which nobody waits.
    pub fn has_worker(self) -> bool {
        matches!(
            self,
            Self::SelfInvoke | Self::SqsWorker | Self::SplitLambda | Self::QueueIntegration
        )
    }

    /// Whether it answers before the work is done.
    pub fn answers_first(self) -> bool {
        matches!(self.profile().work, Work::Later | Work::LeftBehind)
    }

    /// Whether it takes tasks at all.
    pub fn takes_tasks(self) -> bool {
        self.profile().work != Work::None
    }

    /// The status with which it accepts a request.
    pub fn accepted_status(self) -> u16 {
        self.profile().accepted_status
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set should panic")]

    use super::*;

    #[test]
    fn a_workspace_has_the_variants_whose_folders_are_left() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("split-lambda/src")).unwrap();
        let left = Variant::ALL
            .into_iter()
            .filter(|variant| variant.is_in(root.path()));
        assert_eq!(left.collect::<Vec<_>>(), [Variant::SplitLambda]);
    }
}
