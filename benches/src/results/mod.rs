//! What a comparison found: plain data, the same in memory and in `results.json`. Field names end in their unit:
//! `_us` microseconds, `_mb` megabytes as Lambda reports them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ablation::Ablation;
use crate::burst::Burst;
use crate::change::Changes;
use crate::client::SUCCEEDED;
use crate::complexity::Complexity;
use crate::cost::Costs;
use crate::faults::FaultRun;
use crate::machine::Machine;
use crate::own_task::OwnTask;
use crate::quiet::Quiet;
use crate::saturation::Saturation;
use crate::soak::Soak;
use crate::statistics::Distribution;
use crate::variant::Variant;
use crate::warm::Picture;

mod settings;

pub use settings::Settings;

/// The version of this structure; it grows with every change that breaks a reader.
pub const SCHEMA_VERSION: u32 = 3;

/// Where the schema stands, beside the results.
pub const SCHEMA_FILE: &str = "results.schema.json";

/// A whole comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// The file of the schema, which is written beside the results.
    #[serde(rename = "$schema")]
    pub schema: String,
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// When the comparison began.
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// How long it took, once everything was built, in seconds.
    pub seconds: u64,
    /// Where the variants ran.
    pub platform: String,
    /// How much was measured.
    pub settings: Settings,
    /// What it was measured on.
    pub machine: Machine,
    /// What another run, of the bench `ablation`, has measured of the same commit; `None` where there is none.
    #[serde(default)]
    pub ablation: Option<Ablation>,
    /// What was measured, one entry for each way that could be: the variants, then the baselines, the floor last.
    pub measured: Vec<Measured>,
    /// What each variant costs on AWS, modelled; `None` where there is nothing to model it from.
    pub costs: Option<Costs>,
    /// What changed since an earlier run, if one was named.
    pub changes: Option<Changes>,
    /// What could not be measured.
    pub failures: Vec<Failure>,
    /// During which part it was interrupted, if it was.
    pub interrupted: Option<String>,
}

impl Results {
    /// Reads the results that another run left.
    ///
    /// # Errors
    /// Fails when there are none, or when they have another structure than this program's.
    pub fn read(path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            schema_version: u32,
        }
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let version: Version = serde_json::from_str(&text)
            .with_context(|| format!("{} has no results of a comparison", path.display()))?;
        ensure!(
            version.schema_version == SCHEMA_VERSION,
            "{} has version {} of the results; this program reads version {SCHEMA_VERSION} alone. Leave --against out \
             once, and compare with the results of that run",
            path.display(),
            version.schema_version
        );
        serde_json::from_str(&text).with_context(|| format!("cannot read the results in {}", path.display()))
    }

    /// The entry of this variant.
    pub fn of(&self, variant: Variant) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.variant == variant)
    }

    /// The entries of the variants, without baselines and floor.
    pub fn variants(&self) -> impl Iterator<Item = &Measured> {
        self.measured
            .iter()
            .filter(|measured| measured.variant.is_variant())
    }
}

/// What was measured of one variant or baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// Which one.
    pub variant: Variant,
    /// Its first invocations and requests; `None` for a server, which is always there.
    pub cold: Option<Cold>,
    /// Its cold starts by memory size, in ascending order; empty where the system could not impose the CPU share that goes
    /// with it.
    pub cold_by_memory: Vec<ColdByMemory>,
    /// The open-loop load, one entry for each rate.
    pub load: Vec<Load>,
    /// What the functions were billed for in it.
    pub billed: Option<Billed>,
    /// Many tasks at once.
    pub burst: Option<Burst>,
    /// The rate that it can keep up.
    pub saturation: Option<Saturation>,
    /// A task whose client went away.
    pub quiet: Option<Quiet>,
    /// What became of tasks that met a fault, one entry for each.
    pub faults: Vec<FaultRun>,
    /// Whether its tasks did what they should; `None` where nothing sees to it that they end.
    pub check: Option<Check>,
    /// The functions' binaries; none where they were not built here.
    pub binaries: Vec<Binary>,
    /// What there is to deploy and to understand.
    pub complexity: Option<Complexity>,
    /// The tasks that were handed in while things broke, if any were.
    pub soak: Option<Soak>,
    /// The reader's own task, if there was one.
    #[serde(default)]
    pub own_task: Option<OwnTask>,
}

impl Measured {
    /// An entry of which nothing has been measured yet.
    pub fn nothing(variant: Variant) -> Self {
        Self {
            variant,
            cold: None,
            cold_by_memory: Vec::new(),
            load: Vec::new(),
            billed: None,
            burst: None,
            saturation: None,
            quiet: None,
            faults: Vec::new(),
            check: None,
            binaries: Vec::new(),
            complexity: None,
            soak: None,
            own_task: None,
        }
    }

    /// The load of this rate.
    pub fn load_at(&self, rate_per_second: u32) -> Option<&Load> {
        self.load
            .iter()
            .find(|load| load.rate_per_second == rate_per_second)
    }

    /// The API function's first invocations.
    pub fn first_invocation(&self) -> Option<&FirstInvocation> {
        self.cold.as_ref()?.first_invocation.as_ref()
    }

    /// The task of the first requests.
    pub fn cold_task(&self) -> Option<&ColdTask> {
        self.cold.as_ref()?.task.as_ref()
    }
}

/// Cold starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cold {
    /// The API function's first invocation, where there is an API function.
    pub first_invocation: Option<FirstInvocation>,
    /// A first request over HTTP, every function cold: from sending it to having the answer.
    pub accept_us: Distribution,
    /// The task of that request; `None` where it was not followed.
    pub task: Option<ColdTask>,
    /// The init phase of the worker, by its REPORT lines; `None` where it was not cold, or its log cannot be read.
    pub worker_init_us: Option<Distribution>,
}

/// First invocations of the API function, by their REPORT lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FirstInvocation {
    /// The init phase.
    pub init_us: Distribution,
    /// The handler's duration.
    pub duration_us: Distribution,
    /// The sum of the two: from the start of the process to the first answer.
    pub first_answer_us: Distribution,
    /// The most memory that the environment used.
    pub max_memory_mb: Distribution,
}

/// Cold starts of functions that all have this memory size, and the share of a CPU that goes with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ColdByMemory {
    /// The memory size.
    pub memory_mb: u32,
    /// The API function's first invocation.
    pub first_invocation: FirstInvocation,
    /// The task of a first request over HTTP, every function cold; `None` where it was not followed.
    pub task: Option<ColdTask>,
}

/// What functions were billed for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Billed {
    /// Warm invocations of the API function that accept a task; absent where no function does.
    pub api: Option<BilledInvocation>,
    /// Warm invocations of the function that runs the empty task, where that is another invocation.
    pub worker: Option<BilledInvocation>,
}

/// Invocations of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BilledInvocation {
    /// Billed Duration, in whole milliseconds.
    pub duration_ms: Distribution,
    /// Memory Size.
    pub memory_mb: u64,
}

/// The task of a first request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ColdTask {
    /// From its being accepted to its start, by its record.
    pub accepted_to_started_us: Distribution,
    /// That and the answer to the request: from sending the request to the start of the task, at most.
    pub request_to_started_us: Distribution,
}

/// One rate of open-loop load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Load {
    /// Requests a second.
    pub rate_per_second: u32,
    /// Requests sent.
    pub sent: u64,
    /// Requests accepted.
    pub accepted: u64,
    /// Requests not accepted, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Accepted requests: from when each was due to the end of its answer.
    pub accept_us: Distribution,
    /// From when each was due to when it was sent: what the generator itself adds to the latency.
    pub lateness_us: Distribution,
    /// The tasks of those requests; `None` where they were not followed, or none of them ended.
    pub task: Option<TaskTimes>,
}

/// The tasks under load, by their records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskTimes {
    /// From being accepted to being started.
    pub accepted_to_started_us: Distribution,
    /// From being accepted to having ended.
    pub accepted_to_finished_us: Distribution,
}

/// Whether the tasks did what they should.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Tasks accepted under load, the warm-up included.
    pub accepted: u64,
    /// How they ended: tasks by status.
    pub ended: BTreeMap<String, u64>,
    /// Tasks that took more than one attempt.
    pub repeated: u64,
    /// What a task with a known result computed.
    pub picture: Picture,
}

impl Check {
    /// How many tasks had not ended a minute after the load that they came with.
    pub fn not_ended(&self) -> u64 {
        self.accepted - self.ended.values().sum::<u64>()
    }

    /// How many tasks succeeded.
    pub fn succeeded(&self) -> u64 {
        self.ended.get(SUCCEEDED).copied().unwrap_or(0)
    }
}

/// A function's binary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Binary {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its size in the deployment package, compressed as a zip file's entry.
    pub zipped_bytes: u64,
}

/// What could not be measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// Of which variant.
    pub variant: Variant,
    /// What: a part of the measurement, in a few words.
    pub what: String,
    /// Why.
    pub reason: String,
}
