//! How much is measured: in a quick run, in a full one, of what is deployed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::own_task;
use crate::soak::Plan;

/// How much is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Whether this is the quick run.
    pub quick: bool,
    /// How many cold starts of each kind.
    pub cold_starts: u32,
    /// The memory sizes, in MB, with which cold starts are measured besides.
    pub memory_sizes_mb: Vec<u32>,
    /// How many cold starts with each of them.
    pub cold_starts_by_memory: u32,
    /// The rates of the open-loop load, in ascending order. Baselines are measured at the middle one alone.
    pub rates_per_second: Vec<u32>,
    /// How long each rate is kept up, in slices between which the other variants have their turn.
    pub seconds_per_rate: u32,
    /// In how many slices.
    pub slices: u32,
    /// How long the load goes on before anything counts.
    pub warm_up_seconds: u32,
    /// How many tasks are handed in at once.
    pub burst_tasks: u32,
    /// How many requests a second the search for the limit begins with; `None`: there is none.
    pub saturation_from: Option<u32>,
    /// How long a task is left alone before it is looked at, in seconds; `None`: none is.
    pub quiet_seconds: Option<u32>,
    /// How many tasks meet each single fault; 0: there are no single faults.
    pub fault_tasks: u32,
    /// What was made to go wrong in the soak, if there was one.
    pub soak: Option<Plan>,
    /// The reader's own task, if there was one.
    #[serde(default)]
    pub own_task: Option<own_task::Plan>,
}

impl Settings {
    /// For a first look.
    pub fn quick() -> Self {
        Self {
            quick: true,
            cold_starts: 5,
            memory_sizes_mb: vec![128, 1769],
            cold_starts_by_memory: 2,
            rates_per_second: vec![50],
            seconds_per_rate: 4,
            slices: 2,
            warm_up_seconds: 1,
            burst_tasks: 50,
            saturation_from: None,
            quiet_seconds: None,
            fault_tasks: 0,
            soak: None,
            own_task: None,
        }
    }

    /// The part of it that can be measured of what is deployed already, with bounded costs.
    #[must_use]
    pub fn deployed(self) -> Self {
        Self {
            memory_sizes_mb: Vec::new(),
            cold_starts_by_memory: 0,
            saturation_from: None,
            fault_tasks: 0,
            ..self
        }
    }

    /// For figures to pass on.
    pub fn full() -> Self {
        Self {
            quick: false,
            cold_starts: 20,
            memory_sizes_mb: vec![128, 256, 512, 1024, 1769],
            cold_starts_by_memory: 5,
            rates_per_second: vec![20, 50, 100],
            seconds_per_rate: 9,
            slices: 3,
            warm_up_seconds: 2,
            burst_tasks: 1_000,
            saturation_from: Some(100),
            quiet_seconds: Some(20),
            fault_tasks: 20,
            soak: None,
            own_task: None,
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
