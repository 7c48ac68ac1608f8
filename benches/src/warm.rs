//! Measures a warm deployment: open-loop load at each rate, then the records of all the tasks that it handed in,
//! and a task whose result can be compared.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::{Accepted, Refusal, Task, TaskApi};
use crate::cold::microseconds;
use crate::load::{self, Schedule, Sent};
use crate::progress::Phase;
use crate::results::{Check, Load, Settings, TaskTimes};
use crate::statistics::Distribution;
use crate::target::Target;

/// How many records are read at a time, after the load.
const READERS: usize = 8;

/// What the checking task computes: the Mandelbrot set, as the task's result gives it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// SHA-256 of the iteration counts, in hexadecimal.
    pub sha256: String,
    /// Points that never left.
    pub points_inside: u64,
}

/// Puts load on the deployment at each rate and follows every task to its end.
///
/// # Errors
/// Fails when no request of a rate is accepted, a task does not end, or the checking task does not succeed.
pub async fn measure(target: &Target, settings: &Settings) -> Result<(Vec<Load>, Option<Check>)> {
    let warm_up = Schedule {
        rate_per_second: settings.reference_rate(),
        seconds: settings.warm_up_seconds,
    };
    let mut tasks = run(target, warm_up, "warming up").await?.tasks;
    let mut loads = Vec::new();
    for &rate_per_second in &settings.rates_per_second {
        let schedule = Schedule {
            rate_per_second,
            seconds: settings.seconds_per_rate,
        };
        let run = run(target, schedule, &format!("{rate_per_second} requests/s")).await?;
        loads.push(run.load);
        tasks.extend(run.tasks);
    }
    let check = if target.variant.runs_tasks() {
        Some(check(target, &tasks).await?)
    } else {
        None
    };
    Ok((loads, check))
}

struct Run {
    load: Load,
    tasks: Vec<Task>,
}

async fn run(target: &Target, schedule: Schedule, what: &str) -> Result<Run> {
    let sent = {
        let phase = Phase::begin(target.variant, what, schedule.requests().into());
        let empty_task = TaskApi::empty_task();
        load::run(schedule, &phase, || {
            let (api, task) = (target.tasks.clone(), empty_task.clone());
            async move { api.accept(&task).await }
        })
        .await?
    };
    let tasks = if target.variant.runs_tasks() {
        records(target, &sent).await?
    } else {
        Vec::new()
    };
    let load = load_of(schedule, &sent, &tasks, target.variant.runs_tasks())?;
    Ok(Run { load, tasks })
}

fn load_of(
    schedule: Schedule,
    sent: &[Sent<Result<Accepted, Refusal>>],
    tasks: &[Task],
    runs_tasks: bool,
) -> Result<Load> {
    let mut refused = BTreeMap::new();
    let mut latencies = Vec::new();
    for request in sent {
        match &request.answer {
            Ok(_) => latencies.push(microseconds(request.latency)),
            Err(Refusal(reason)) => *refused.entry(reason.clone()).or_default() += 1,
        }
    }
    if latencies.is_empty() {
        bail!("none of {} requests was accepted: {refused:?}", sent.len());
    }
    Ok(Load {
        rate_per_second: schedule.rate_per_second,
        sent: sent.len() as u64,
        accepted: latencies.len() as u64,
        refused,
        accept_us: Distribution::of(latencies)?,
        lateness_us: Distribution::of(sent.iter().map(|request| microseconds(request.lateness)))?,
        task: runs_tasks.then(|| task_times(tasks)).transpose()?,
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

/// The final records of all the tasks that were accepted.
async fn records(target: &Target, sent: &[Sent<Result<Accepted, Refusal>>]) -> Result<Vec<Task>> {
    let ids: Vec<String> = sent
        .iter()
        .filter_map(|request| request.answer.as_ref().ok())
        .map(Accepted::id)
        .collect::<Result<_>>()?;
    let phase = Phase::begin(target.variant, "reading the tasks' records", 0);
    let mut readers = JoinSet::new();
    for reader in 0..READERS {
        let ids: Vec<String> = ids.iter().skip(reader).step_by(READERS).cloned().collect();
        let api = target.tasks.clone();
        readers.spawn(async move {
            let mut tasks = Vec::new();
            for id in ids {
                tasks.push(api.finished(&id).await?);
            }
            anyhow::Ok(tasks)
        });
    }
    let mut tasks = Vec::new();
    while let Some(read) = readers.join_next().await {
        tasks.extend(read.context("a reader panicked")??);
        phase.advance();
    }
    Ok(tasks)
}

async fn check(target: &Target, tasks: &[Task]) -> Result<Check> {
    let _phase = Phase::begin(target.variant, "checking a result", 0);
    let mut ended = BTreeMap::new();
    for task in tasks {
        *ended.entry(task.status.clone()).or_default() += 1;
    }
    Ok(Check {
        accepted: tasks.len() as u64,
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
