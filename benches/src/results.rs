//! What a comparison found: plain data, the same in memory and in `results.json`. Field names end in their unit:
//! `_us` microseconds, `_mb` megabytes as Lambda reports them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::soak::{Plan, Soak};
use crate::statistics::Distribution;
use crate::variant::Variant;
use crate::warm::Picture;

/// The version of this structure; it grows with every change that breaks a reader.
pub const SCHEMA_VERSION: u32 = 1;

/// A whole comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// When the comparison began.
    pub created_at: Timestamp,
    /// Where the variants ran.
    pub platform: String,
    /// How much was measured.
    pub settings: Settings,
    /// What it was measured on.
    pub machine: Machine,
    /// What was measured, one entry for each variant that could be, the floor last.
    pub measured: Vec<Measured>,
    /// The variants that could not be measured.
    pub failures: Vec<Failure>,
}

impl Results {
    /// The entry of this variant.
    pub fn of(&self, variant: Variant) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.variant == variant)
    }

    /// The entries of the variants, without the floor.
    pub fn variants(&self) -> impl Iterator<Item = &Measured> {
        self.measured
            .iter()
            .filter(|measured| measured.variant.runs_tasks())
    }
}

/// How much is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Whether this is the quick run.
    pub quick: bool,
    /// How many cold starts of each kind.
    pub cold_starts: u32,
    /// The rates of the open-loop load, in ascending order.
    pub rates_per_second: Vec<u32>,
    /// How long each rate is kept up.
    pub seconds_per_rate: u32,
    /// How long the load goes on before anything counts.
    pub warm_up_seconds: u32,
    /// What was made to go wrong in the soak, if there was one.
    #[serde(default)]
    pub soak: Option<Plan>,
}

impl Settings {
    /// For a first look, in under a minute.
    pub fn quick() -> Self {
        Self {
            quick: true,
            cold_starts: 5,
            rates_per_second: vec![50],
            seconds_per_rate: 4,
            warm_up_seconds: 1,
            soak: None,
        }
    }

    /// For figures to pass on.
    pub fn full() -> Self {
        Self {
            quick: false,
            cold_starts: 20,
            rates_per_second: vec![20, 50, 100],
            seconds_per_rate: 20,
            warm_up_seconds: 5,
            soak: None,
        }
    }

    /// The rate whose figures are charted and compared: the middle one.
    pub fn reference_rate(&self) -> u32 {
        self.rates_per_second
            .get(self.rates_per_second.len() / 2)
            .copied()
            .unwrap_or(1)
    }
}

/// What was measured of one variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Which one.
    pub variant: Variant,
    /// Its first invocations and requests.
    pub cold: Cold,
    /// The open-loop load, one entry for each rate.
    pub load: Vec<Load>,
    /// Whether its tasks did what they should; `None` for the floor, which has none.
    pub check: Option<Check>,
    /// The functions' binaries.
    pub binaries: Vec<Binary>,
    /// The tasks that were handed in while things broke, if any were.
    #[serde(default)]
    pub soak: Option<Soak>,
}

impl Measured {
    /// The load of this rate.
    pub fn load_at(&self, rate_per_second: u32) -> Option<&Load> {
        self.load
            .iter()
            .find(|load| load.rate_per_second == rate_per_second)
    }
}

/// Cold starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cold {
    /// The API function's init phase.
    pub init_us: Distribution,
    /// The handler's duration in the first invocation.
    pub duration_us: Distribution,
    /// The sum of the two: from the start of the process to the first answer.
    pub first_answer_us: Distribution,
    /// The most memory that the environment used.
    pub max_memory_mb: Distribution,
    /// A first request over HTTP, every function cold: from sending it to having the answer.
    pub accept_us: Distribution,
    /// The task of that request; `None` for the floor.
    pub task: Option<ColdTask>,
}

/// The task of a first request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColdTask {
    /// From its being accepted to its start, by its record.
    pub accepted_to_started_us: Distribution,
    /// That and the answer to the request: from sending the request to the start of the task, at most.
    pub request_to_started_us: Distribution,
}

/// One rate of open-loop load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The tasks of those requests; `None` for the floor.
    pub task: Option<TaskTimes>,
}

/// The tasks under load, by their records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskTimes {
    /// From being accepted to being started.
    pub accepted_to_started_us: Distribution,
    /// From being accepted to having ended.
    pub accepted_to_finished_us: Distribution,
}

/// Whether the tasks did what they should.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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

/// A function's binary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binary {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// A variant that could not be measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Which one.
    pub variant: Variant,
    /// Why.
    pub reason: String,
}
