//! Single faults: a few tasks meet each of them, in a deployment of their own, and are followed for as long as the
//! platform may still do something about them. What is wanted is what the client saw, how often each task was begun,
//! how long it took to its end, and which never came to one.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{Accepted, Refusal, Task, TaskApi};
use crate::cold::microseconds;
use crate::deployment::Scene;
use crate::statistics::{Distribution, counts};
use crate::target::Target;
use crate::variant::Variant;

/// For how long tasks are followed. What is tried again for the last time after three minutes, and then given up, has
/// ended by then.
const WATCH: Duration = Duration::from_mins(5);

/// Between two looks at what is open.
const PAUSE: Duration = Duration::from_secs(1);

/// For how long nothing may change before no more is waited for: somewhat longer than the longest pause between two
/// attempts, the two minutes of the asynchronous queue
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
const STILL: Duration = Duration::from_secs(150);

/// A single fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The work takes longer than API Gateway waits.
    LongerThanTheGateway,
    /// The work takes longer than the function may run.
    TimeRunsOut,
    /// The environment is killed while it works, in half of the attempts.
    Killed,
    /// Each event and message is delivered twice.
    DeliveredTwice,
    /// Three of ten calls of the functions, and of their invocations by queues, are throttled.
    Throttled,
    /// Three of ten calls of the functions are carried out, and their answers lost.
    AnswersLost,
}

/// What became of the tasks that met a fault.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FaultRun {
    /// Which fault.
    pub fault: Fault,
    /// What the clients saw: requests by their answer.
    pub answers: BTreeMap<String, u64>,
    /// Tasks accepted.
    pub accepted: u64,
    /// Accepted tasks by how they ended.
    pub ended: BTreeMap<String, u64>,
    /// Accepted tasks that had not ended when nothing more was to come.
    pub never_ended: u64,
    /// Failed tasks by the code of their error.
    pub errors: BTreeMap<String, u64>,
    /// Ended tasks by their number of attempts.
    pub attempts: BTreeMap<u64, u64>,
    /// From being accepted to the end, of those that ended.
    pub to_the_end_us: Option<Distribution>,
    /// The same, of those that took two attempts: how long it takes to make up for one that was lost.
    pub recovered_us: Option<Distribution>,
}

impl Fault {
    /// All of them, in the order of the report.
    pub const ALL: [Self; 6] = [
        Self::LongerThanTheGateway,
        Self::TimeRunsOut,
        Self::Killed,
        Self::DeliveredTwice,
        Self::Throttled,
        Self::AnswersLost,
    ];

    /// Whether this fault says something about this variant or baseline.
    pub fn concerns(self, variant: Variant) -> bool {
        match self {
            // What is left behind by its answer goes on with each look at it: `quiet` has it.
            Self::LongerThanTheGateway | Self::Killed => variant.ends_tasks(),
            Self::TimeRunsOut | Self::DeliveredTwice | Self::Throttled | Self::AnswersLost => {
                variant.is_variant()
            }
        }
    }

    /// The deployment in which it happens.
    pub fn scene(self, variant: Variant) -> Scene {
        let (faults, parameters) = match self {
            Self::LongerThanTheGateway => (None, Vec::new()),
            Self::TimeRunsOut => (None, variant.with_task_timeout(4)),
            Self::Killed => (Some("kill=0.5,seed=1"), variant.with_task_timeout(60)),
            Self::DeliveredTwice => (Some("duplicate=1,seed=1"), variant.with_task_timeout(60)),
            Self::Throttled => (Some("throttle=0.3,seed=1"), variant.with_task_timeout(60)),
            Self::AnswersLost => (Some("drop-response=0.3,seed=1"), variant.with_task_timeout(60)),
        };
        Scene {
            name: Some(self.name()),
            faults: faults.map(str::to_owned),
            parameters,
            ..Scene::default()
        }
    }

    /// A word for file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::LongerThanTheGateway => "longer-than-the-gateway",
            Self::TimeRunsOut => "time-runs-out",
            Self::Killed => "killed",
            Self::DeliveredTwice => "delivered-twice",
            Self::Throttled => "throttled",
            Self::AnswersLost => "answers-lost",
        }
    }

    /// What the tasks do that meet it.
    fn task(self) -> Value {
        let millis = match self {
            // Five seconds more than API Gateway waits.
            Self::LongerThanTheGateway => 35_000,
            Self::TimeRunsOut => 20_000,
            // Longer than it takes until the environment is killed.
            Self::Killed => 3_000,
            Self::DeliveredTwice | Self::Throttled | Self::AnswersLost => 200,
        };
        json!({"kind": "sleep", "millis": millis})
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::LongerThanTheGateway => "The work takes 35 s",
            Self::TimeRunsOut => "The function's time runs out",
            Self::Killed => "Half of the attempts are killed",
            Self::DeliveredTwice => "Everything is delivered twice",
            Self::Throttled => "3 of 10 calls are throttled",
            Self::AnswersLost => "3 of 10 answers are lost",
        })
    }
}

/// Hands in so many tasks, one client each, and follows what was accepted.
///
/// # Errors
/// Fails when an accepted task has no id.
pub async fn run(target: &Target, fault: Fault, tasks: u32) -> Result<FaultRun> {
    let mut clients = JoinSet::new();
    for _ in 0..tasks {
        let (api, task) = (target.tasks.clone(), fault.task());
        clients.spawn(async move { api.accept(&task).await });
    }
    let mut answers = BTreeMap::new();
    let mut ids = Vec::new();
    for answer in clients.join_all().await {
        let seen = match answer {
            Ok(accepted) => {
                ids.push(Accepted::id(&accepted)?);
                format!("status {}", target.variant.accepted_status())
            }
            Err(Refusal { reason, .. }) => reason,
        };
        *answers.entry(seen).or_default() += 1;
    }
    let ended = follow(&target.tasks, &ids).await?;
    run_of(fault, answers, ids.len() as u64, &ended)
}

fn run_of(fault: Fault, answers: BTreeMap<String, u64>, accepted: u64, ended: &[Task]) -> Result<FaultRun> {
    let times = |wanted: fn(&Task) -> bool| {
        let tasks = ended.iter().filter(|task| wanted(task));
        let times: Vec<u64> = tasks
            .filter_map(Task::accepted_to_finished)
            .map(microseconds)
            .collect();
        (!times.is_empty()).then(|| Distribution::of(times)).transpose()
    };
    Ok(FaultRun {
        fault,
        answers,
        accepted,
        ended: counts(ended.iter().map(|task| task.status.clone())),
        never_ended: accepted - ended.len() as u64,
        errors: counts(
            ended
                .iter()
                .filter_map(|task| Some(task.error.as_ref()?.code.clone())),
        ),
        attempts: counts(ended.iter().map(|task| task.attempts)),
        to_the_end_us: times(|_| true)?,
        recovered_us: times(|task| task.attempts == 2)?,
    })
}

/// The last records of those that end. A look may fail: the functions that answer it break too.
async fn follow(api: &TaskApi, ids: &[String]) -> Result<Vec<Task>> {
    let begin = Instant::now();
    let mut last_change = begin;
    let mut open: Vec<String> = ids.to_vec();
    let mut seen = String::new();
    let mut ended = Vec::new();
    while !open.is_empty() && begin.elapsed() < WATCH && last_change.elapsed() < STILL {
        tokio::time::sleep(PAUSE).await;
        let mut looks = JoinSet::new();
        for id in open.drain(..) {
            let api = api.clone();
            looks.spawn(async move { (api.task(&id).await.ok(), id) });
        }
        let mut state = Vec::new();
        while let Some(look) = looks.join_next().await {
            match look.context("a look at a record panicked")? {
                (Some(task), _) if task.is_finished() => ended.push(task),
                (task, id) => {
                    state.push(format!(
                        "{id} {:?}",
                        task.map(|task| (task.status, task.attempts))
                    ));
                    open.push(id);
                }
            }
        }
        state.sort_unstable();
        let state = state.join("\n");
        if state != seen {
            seen = state;
            last_change = Instant::now();
        }
    }
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(status: &str, attempts: u64, finished_at: &str) -> Task {
        serde_json::from_value(json!({
            "status": status, "attempts": attempts, "accepted_at": "2026-03-09T07:05:00Z",
            "finished_at": finished_at,
        }))
        .unwrap()
    }

    #[test]
    fn what_was_accepted_and_did_not_end_is_counted() {
        let ended = [
            task("succeeded", 1, "2026-03-09T07:05:03Z"),
            task("succeeded", 2, "2026-03-09T07:06:05Z"),
        ];
        let run = run_of(Fault::Killed, BTreeMap::new(), 3, &ended).unwrap();
        assert_eq!((run.never_ended, run.ended["succeeded"]), (1, 2));
        assert_eq!(run.attempts, BTreeMap::from([(1, 1), (2, 1)]));
        assert_eq!(run.recovered_us.unwrap().count, 1);
        assert_eq!(run.to_the_end_us.unwrap().count, 2);
    }

    #[test]
    fn every_fault_concerns_every_variant() {
        for fault in Fault::ALL {
            assert!(Variant::ALL.into_iter().all(|variant| fault.concerns(variant)));
            assert!(!fault.concerns(Variant::Noop));
        }
    }
}
