//! Measures a warm deployment: open-loop load at each rate, then the records of all the tasks that it handed in,
//! and a task whose result can be compared.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::{Accepted, NotEnded, Refusal, TASK_LIMIT, Task, TaskApi};
use crate::cold::microseconds;
use crate::load::{self, Schedule, Sent};
use crate::progress::{Phase, say};
use crate::results::{Check, Load, Settings, TaskTimes};
use crate::statistics::Distribution;
use crate::target::Target;

/// How many records are read at a time, after the load.
const READERS: usize = 8;

/// What the checking task computes: the Mandelbrot set, as the task's result gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Picture {
    /// SHA-256 of the iteration counts, in hexadecimal.
    pub sha256: String,
    /// Points that never left.
    pub points_inside: u64,
}

/// The load of one deployment, put on it slice by slice, so that others can have theirs between.
#[derive(Debug, Default)]
pub struct Loads {
    by_rate: BTreeMap<u32, Run>,
    /// Tasks of the warm-up, which count for the check alone.
    warmed: Vec<Task>,
    not_ended: u64,
}

#[derive(Debug, Default)]
struct Run {
    sent: Vec<Sent<Result<Accepted, Refusal>>>,
    tasks: Vec<Task>,
}

/// Accepted tasks, a minute later.
#[derive(Debug, Default)]
pub struct Records {
    /// The final records of those that have ended.
    pub ended: Vec<Task>,
    /// How many have not.
    pub not_ended: u64,
}

impl Loads {
    /// Puts load on the deployment that counts for nothing but the check.
    ///
    /// # Errors
    /// Fails when a task's record cannot be read.
    pub async fn warm_up(&mut self, target: &Target, settings: &Settings) -> Result<()> {
        let schedule = Schedule {
            rate_per_second: settings.reference_rate(),
            seconds: settings.warm_up_seconds,
        };
        let (_, records) = run(target, schedule, "warming up").await?;
        self.warmed.extend(records.ended);
        self.not_ended += records.not_ended;
        Ok(())
    }

    /// Puts one more slice of load on the deployment and follows its tasks to their ends.
    ///
    /// # Errors
    /// Fails when a task's record cannot be read.
    pub async fn add(&mut self, target: &Target, schedule: Schedule) -> Result<()> {
        let what = format!("{} requests/s", schedule.rate_per_second);
        let (sent, records) = run(target, schedule, &what).await?;
        let all = self.by_rate.entry(schedule.rate_per_second).or_default();
        all.sent.extend(sent);
        all.tasks.extend(records.ended);
        self.not_ended += records.not_ended;
        Ok(())
    }

    /// How many accepted tasks had not ended a minute after the load that they came with.
    pub fn not_ended(&self) -> u64 {
        self.not_ended
    }

    /// What was measured, by rate; what there is of it where there is an error as well.
    ///
    /// # Errors
    /// Fails when no request of a rate was accepted.
    pub fn figures(&self) -> (Vec<Load>, Result<()>) {
        let mut failed = Ok(());
        let figures = self.by_rate.iter().filter_map(|(&rate, run)| {
            let load = load_of(rate, run);
            load.map_err(|error| failed = Err(error)).ok()
        });
        (figures.collect(), failed)
    }

    /// Whether all the tasks did what they should; `None` where nothing sees to it.
    ///
    /// # Errors
    /// Fails when the checking task does not succeed.
    pub async fn check(&self, target: &Target) -> Result<Option<Check>> {
        if !target.variant.ends_tasks() {
            return Ok(None);
        }
        let runs = self.by_rate.values();
        let tasks: Vec<&Task> = self
            .warmed
            .iter()
            .chain(runs.flat_map(|run| &run.tasks))
            .collect();
        check(target, &tasks, self.not_ended).await.map(Some)
    }
}

/// What was sent, and what became of it.
async fn run(
    target: &Target,
    schedule: Schedule,
    what: &str,
) -> Result<(Vec<Sent<Result<Accepted, Refusal>>>, Records)> {
    let sent = {
        let phase = Phase::begin(target.variant, what, schedule.requests().into());
        let empty_task = TaskApi::empty_task();
        load::run(schedule, &phase, || {
            let (api, task) = (target.tasks.clone(), empty_task.clone());
            async move { api.accept(&task).await }
        })
        .await?
    };
    let records = if target.variant.ends_tasks() {
        records(target, accepted_ids(&sent)?).await?
    } else {
        Records::default()
    };
    Ok((sent, records))
}

/// The tasks of the requests that were accepted.
fn accepted_ids(sent: &[Sent<Result<Accepted, Refusal>>]) -> Result<Vec<String>> {
    sent.iter()
        .filter_map(|request| request.answer.as_ref().ok())
        .map(Accepted::id)
        .collect()
}

fn load_of(rate_per_second: u32, run: &Run) -> Result<Load> {
    let sent = &run.sent;
    let mut refused = BTreeMap::new();
    let mut latencies = Vec::new();
    for request in sent {
        match &request.answer {
            Ok(_) => latencies.push(microseconds(request.latency)),
            Err(Refusal { reason, .. }) => *refused.entry(reason.clone()).or_default() += 1,
        }
    }
    if latencies.is_empty() {
        bail!("none of {} requests was accepted: {refused:?}", sent.len());
    }
    Ok(Load {
        rate_per_second,
        sent: sent.len() as u64,
        accepted: latencies.len() as u64,
        refused,
        accept_us: Distribution::of(latencies)?,
        lateness_us: Distribution::of(sent.iter().map(|request| microseconds(request.lateness)))?,
        task: (!run.tasks.is_empty())
            .then(|| task_times(&run.tasks))
            .transpose()?,
    })
}

fn task_times(tasks: &[Task]) -> Result<TaskTimes> {
    let spans = |span: fn(&Task) -> Option<Duration>| {
        Distribution::of(tasks.iter().filter_map(span).map(microseconds))
    };
    Ok(TaskTimes {
        accepted_to_started_us: spans(Task::accepted_to_started)?,
        accepted_to_finished_us: spans(Task::accepted_to_finished)?,
    })
}

/// The final records of these tasks, for which it is waited a minute in all.
///
/// # Errors
/// Fails when a record cannot be read.
pub async fn records(target: &Target, ids: Vec<String>) -> Result<Records> {
    let phase = Phase::begin(target.variant, "reading the tasks' records", ids.len() as u64);
    let phase = Arc::new(phase);
    let until = Instant::now() + TASK_LIMIT;
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let ids: Vec<String> = ids.iter().skip(reader).step_by(READERS).cloned().collect();
        let (api, phase) = (target.tasks.clone(), Arc::clone(&phase));
        readers.spawn(async move {
            let mut records = Records::default();
            for id in ids {
                let left = until.saturating_duration_since(Instant::now());
                match api.finished_within(&id, left).await {
                    Ok(task) => records.ended.push(task),
                    Err(error) if error.is::<NotEnded>() => records.not_ended += 1,
                    Err(error) => return Err(error),
                }
                phase.advance();
            }
            Ok(records)
        });
    }
    let mut records = Records::default();
    while let Some(read) = readers.join_next().await {
        let read = read.context("a reader panicked")??;
        records.ended.extend(read.ended);
        records.not_ended += read.not_ended;
    }
    if records.not_ended > 0 {
        say(&format!(
            "{}: {} accepted tasks have not ended after {} s",
            target.variant,
            records.not_ended,
            TASK_LIMIT.as_secs()
        ));
    }
    Ok(records)
}

async fn check(target: &Target, tasks: &[&Task], not_ended: u64) -> Result<Check> {
    let _phase = Phase::begin(target.variant, "checking a result", 0);
    let mut ended = BTreeMap::new();
    for task in tasks {
        *ended.entry(task.status.clone()).or_default() += 1;
    }
    Ok(Check {
        accepted: tasks.len() as u64 + not_ended,
        ended,
        repeated: tasks.iter().filter(|task| task.attempts > 1).count() as u64,
        picture: picture(target).await?,
    })
}

async fn picture(target: &Target) -> Result<Picture> {
    let task = json!({"kind": "mandelbrot", "width": 256, "height": 256, "max_iterations": 1000});
    let id = target.tasks.accept(&task).await?.id()?;
    let result = target
        .tasks
        .succeeded(&id)
        .await?
        .result
        .context("the task succeeded without a result")?;
    serde_json::from_value(result).context("the task's result is not a picture's")
}
