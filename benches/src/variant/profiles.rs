//! What is known of each way, one profile after the other.

use super::Role;

/// When a task is worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
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
pub(super) struct Profile {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) role: Role,
    pub(super) work: Work,
    pub(super) accepted_status: u16,
    /// Whether a function answers `POST /tasks`.
    pub(super) has_api_function: bool,
    /// How many functions it has.
    pub(super) functions: usize,
    /// That of each function or container.
    pub(super) binaries: &'static [&'static str],
    /// Files and folders of sources that are its own, relative to the workspace root.
    pub(super) sources: &'static [&'static str],
}

pub(super) const SELF_INVOKE: Profile = Profile {
    name: "self-invoke",
    description: "one function, which invokes itself asynchronously",
    role: Role::Variant,
    work: Work::Later,
    accepted_status: 202,
    has_api_function: true,
    functions: 1,
    binaries: &["self-invoke"],
    sources: &["self-invoke/src"],
};

pub(super) const SQS_WORKER: Profile = Profile {
    name: "sqs-worker",
    description: "API function, SQS queue, worker function",
    role: Role::Variant,
    work: Work::Later,
    accepted_status: 202,
    has_api_function: true,
    functions: 2,
    binaries: &["sqs-api", "sqs-worker"],
    sources: &["sqs-worker/src"],
};

pub(super) const SPLIT_LAMBDA: Profile = Profile {
    name: "split-lambda",
    description: "API function, asynchronous Invoke, worker function",
    role: Role::Variant,
    work: Work::Later,
    accepted_status: 202,
    has_api_function: true,
    functions: 2,
    binaries: &["split-api", "split-worker"],
    sources: &["split-lambda/src"],
};

pub(super) const SYNCHRONOUS: Profile = Profile {
    name: "synchronous",
    description: "the plain request: the task runs within it, and API Gateway waits 30 s",
    role: Role::Baseline,
    work: Work::WithinTheRequest,
    accepted_status: 200,
    has_api_function: true,
    functions: 1,
    binaries: &["baseline-with-tasks"],
    sources: &["benches/baselines-with-tasks/src/handlers/api.rs"],
};

pub(super) const BACKGROUND: Profile = Profile {
    name: "background",
    description: "the task is spawned and the response sent: it freezes with the environment",
    role: Role::Baseline,
    work: Work::LeftBehind,
    accepted_status: 202,
    has_api_function: true,
    functions: 1,
    binaries: &["baseline-with-tasks"],
    sources: &[
        "benches/baselines-with-tasks/src/handlers/background.rs",
        "benches/baselines-with-tasks/src/in_process.rs",
    ],
};

pub(super) const EXTENSION: Profile = Profile {
    name: "extension",
    description: "an internal extension works on after the response; nothing tries again",
    role: Role::Baseline,
    work: Work::Later,
    accepted_status: 202,
    has_api_function: true,
    functions: 1,
    binaries: &["baseline-with-tasks"],
    sources: &[
        "benches/baselines-with-tasks/src/handlers/extension.rs",
        "benches/baselines-with-tasks/src/extension.rs",
    ],
};

pub(super) const QUEUE_INTEGRATION: Profile = Profile {
    name: "queue-integration",
    description: "the HTTP API sends the request to SQS itself, unchecked; a worker function does the rest",
    role: Role::Baseline,
    work: Work::Later,
    accepted_status: 202,
    has_api_function: false,
    functions: 2,
    binaries: &["baseline-with-tasks", "baseline-with-tasks"],
    sources: &[
        "benches/baselines-with-tasks/src/handlers/api.rs",
        "benches/baselines-with-tasks/src/handlers/queue_worker.rs",
    ],
};

pub(super) const ALWAYS_ON: Profile = Profile {
    name: "always-on",
    description: "a server that is always there, behind a load balancer; it works in its own process",
    role: Role::Baseline,
    work: Work::Later,
    accepted_status: 202,
    has_api_function: false,
    functions: 0,
    binaries: &["baseline-always-on"],
    sources: &[
        "benches/baselines-always-on/src",
        "benches/baselines-with-tasks/src/in_process.rs",
    ],
};

pub(super) const NOOP: Profile = Profile {
    name: "noop",
    description: "the floor: answers at once, runs nothing",
    role: Role::Floor,
    work: Work::None,
    accepted_status: 200,
    has_api_function: true,
    functions: 1,
    binaries: &["baseline-noop"],
    sources: &["benches/baselines/src"],
};
