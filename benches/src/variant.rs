//! What is compared: the variants, the baselines beside them, and the floor below them all. The one place that knows
//! how each is called, which template deploys it, and which function plays which part in it.

use std::fmt;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// When a task is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// After the answer; something sees to it that it is done.
    Later,
    /// Before the answer.
    WithinTheRequest,
    /// After the answer, if the environment happens to be thawed.
    LeftBehind,
    /// Never: it accepts none.
    None,
}

/// All that is known of a way.
struct Profile {
    name: &'static str,
    description: &'static str,
    role: Role,
    work: Work,
    accepted_status: u16,
    /// The function that answers `POST /tasks`, by its logical id, where a function does.
    api_function: Option<&'static str>,
    functions: &'static [&'static str],
    binaries: &'static [&'static str],
}

impl Variant {
    /// The three that can be deployed.
    pub const ALL: [Self; 3] = [Self::SelfInvoke, Self::SqsWorker, Self::SplitLambda];

    /// What they are held against, the floor last.
    pub const BASELINES: [Self; 1] = [Self::Noop];

    fn profile(self) -> Profile {
        match self {
            Self::SelfInvoke => Profile {
                name: "self-invoke",
                description: "one function, which invokes itself asynchronously",
                role: Role::Variant,
                work: Work::Later,
                accepted_status: 202,
                api_function: Some("Function"),
                functions: &["Function"],
                binaries: &["self-invoke"],
            },
            Self::SqsWorker => Profile {
                name: "sqs-worker",
                description: "API function, SQS queue, worker function",
                role: Role::Variant,
                work: Work::Later,
                accepted_status: 202,
                api_function: Some("ApiFunction"),
                functions: &["ApiFunction", "WorkerFunction"],
                binaries: &["sqs-api", "sqs-worker"],
            },
            Self::SplitLambda => Profile {
                name: "split-lambda",
                description: "API function, asynchronous Invoke, worker function",
                role: Role::Variant,
                work: Work::Later,
                accepted_status: 202,
                api_function: Some("ApiFunction"),
                functions: &["ApiFunction", "WorkerFunction"],
                binaries: &["split-api", "split-worker"],
            },
            Self::Synchronous => Profile {
                name: "synchronous",
                description: "the plain request: the task runs within it, and API Gateway waits 30 s",
                role: Role::Baseline,
                work: Work::WithinTheRequest,
                accepted_status: 200,
                api_function: Some("Function"),
                functions: &["Function"],
                binaries: &["baseline-synchronous"],
            },
            Self::Background => Profile {
                name: "background",
                description: "the task is spawned and the response sent: it freezes with the environment",
                role: Role::Baseline,
                work: Work::LeftBehind,
                accepted_status: 202,
                api_function: Some("Function"),
                functions: &["Function"],
                binaries: &["baseline-background"],
            },
            Self::Extension => Profile {
                name: "extension",
                description: "an internal extension works on after the response; nothing tries again",
                role: Role::Baseline,
                work: Work::Later,
                accepted_status: 202,
                api_function: Some("Function"),
                functions: &["Function"],
                binaries: &["baseline-extension"],
            },
            Self::QueueIntegration => Profile {
                name: "queue-integration",
                description: "the HTTP API sends the request to SQS itself, unchecked; a worker function does the rest",
                role: Role::Baseline,
                work: Work::Later,
                accepted_status: 202,
                api_function: None,
                functions: &["ApiFunction", "WorkerFunction"],
                binaries: &["baseline-queue-api", "baseline-queue-worker"],
            },
            Self::AlwaysOn => Profile {
                name: "always-on",
                description: "a server that is always there, behind a load balancer; it works in its own process",
                role: Role::Baseline,
                work: Work::Later,
                accepted_status: 202,
                api_function: None,
                functions: &[],
                binaries: &["baseline-always-on"],
            },
            Self::Noop => Profile {
                name: "noop",
                description: "the floor: answers at once, runs nothing",
                role: Role::Floor,
                work: Work::None,
                accepted_status: 200,
                api_function: Some("Function"),
                functions: &["Function"],
                binaries: &["baseline-noop"],
            },
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

    /// The parameters of a variant's template with which an attempt at a task may take so many seconds. In none of the
    /// baselines does it matter.
    pub fn with_task_timeout(self, seconds: u32) -> Vec<(&'static str, u32)> {
        match self {
            // AWS advises six times:
            // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
            Self::SqsWorker => vec![("TaskTimeout", seconds), ("VisibilityTimeout", 6 * seconds)],
            Self::SelfInvoke | Self::SplitLambda => vec![("TaskTimeout", seconds)],
            _ => Vec::new(),
        }
    }

    /// The function that answers `POST /tasks`, by its logical id; `None` where none does.
    pub fn api_function(self) -> Option<&'static str> {
        self.profile().api_function
    }

    /// Every function, by its logical id.
    pub fn functions(self) -> &'static [&'static str] {
        self.profile().functions
    }

    /// What Cargo builds for it.
    pub fn binaries(self) -> &'static [&'static str] {
        self.profile().binaries
    }

    /// Whether something sees to it that a task that it accepts comes to its end, so that the end can be waited for.
    pub fn ends_tasks(self) -> bool {
        matches!(self.profile().work, Work::Later | Work::WithinTheRequest)
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
