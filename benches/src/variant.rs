//! What is compared: the variants and the floor. The one place that knows how each is called, which template
//! deploys it, and which function plays which part in it.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A way to run a task behind the API, or the floor below them all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Variant {
    /// One function serves the API and invokes itself asynchronously.
    SelfInvoke,
    /// The API function sends each task to an SQS queue that feeds a worker function.
    SqsWorker,
    /// The API function invokes a worker function asynchronously.
    SplitLambda,
    /// The floor: a function that answers at once and accepts no task.
    #[value(skip)]
    Noop,
}

impl Variant {
    /// The variants, without the floor.
    pub const ALL: [Self; 3] = [Self::SelfInvoke, Self::SqsWorker, Self::SplitLambda];

    /// The name on the command line and in the reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::SelfInvoke => "self-invoke",
            Self::SqsWorker => "sqs-worker",
            Self::SplitLambda => "split-lambda",
            Self::Noop => "noop",
        }
    }

    /// How a task gets from the request to the code that runs it.
    pub fn description(self) -> &'static str {
        match self {
            Self::SelfInvoke => "one function, which invokes itself asynchronously",
            Self::SqsWorker => "API function, SQS queue, worker function",
            Self::SplitLambda => "API function, asynchronous Invoke, worker function",
            Self::Noop => "the floor: answers at once, runs nothing",
        }
    }

    /// What `cargo infra up` is told to start: a variant's name, or a template relative to the workspace root.
    pub fn template(self) -> &'static str {
        match self {
            Self::Noop => "benches/templates/noop.yaml",
            _ => self.name(),
        }
    }

    /// What the template is given for a soak. What the platform gives up on comes back after a visibility timeout; that
    /// can be short where tasks are.
    pub fn soak_parameters(self) -> &'static [(&'static str, u32)] {
        match self {
            Self::SqsWorker => &[("TaskTimeout", 60), ("VisibilityTimeout", 360)],
            Self::SelfInvoke | Self::SplitLambda => &[("TaskTimeout", 60)],
            Self::Noop => &[],
        }
    }

    /// The function that serves the API, by its logical id.
    pub fn api_function(self) -> &'static str {
        match self {
            Self::SelfInvoke | Self::Noop => "Function",
            Self::SqsWorker | Self::SplitLambda => "ApiFunction",
        }
    }

    /// Every function, by its logical id.
    pub fn functions(self) -> &'static [&'static str] {
        match self {
            Self::SelfInvoke | Self::Noop => &["Function"],
            Self::SqsWorker | Self::SplitLambda => &["ApiFunction", "WorkerFunction"],
        }
    }

    /// The binaries of the functions.
    pub fn binaries(self) -> &'static [&'static str] {
        match self {
            Self::SelfInvoke => &["self-invoke"],
            Self::SqsWorker => &["sqs-api", "sqs-worker"],
            Self::SplitLambda => &["split-api", "split-worker"],
            Self::Noop => &["baseline-noop"],
        }
    }

    /// Whether it runs tasks; the floor does not.
    pub fn runs_tasks(self) -> bool {
        self != Self::Noop
    }

    /// The status with which it accepts a request.
    pub fn accepted_status(self) -> u16 {
        if self.runs_tasks() { 202 } else { 200 }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
