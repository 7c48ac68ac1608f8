//! A task of the reader's own, as the API takes it: handed in one at a time and followed to its end, in each way that
//! brings tasks to an end. What the built-in tasks leave open, how a way treats *this* work, is answered here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::{SUCCEEDED, Task};
use crate::cold::microseconds;
use crate::statistics::{Distribution, counts};
use crate::target::Target;

/// How long one task may take. An invocation has 15 minutes, and a task may go on in the next
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>).
const LIMIT: Duration = Duration::from_hours(1);

/// The task, and how often it is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The body of `POST /tasks`.
    pub task: Value,
    /// How often it is handed in to each way, at most.
    pub rounds: u32,
    /// No round begins after so many seconds; the first always does.
    pub seconds: u32,
}

impl Plan {
    /// Quick runs are a first look; in others there are as many as there are cold starts, unless they are long.
    pub fn of(task: Value, is_quick: bool) -> Self {
        let (rounds, seconds) = if is_quick { (5, 30) } else { (20, 120) };
        Self {
            task,
            rounds,
            seconds,
        }
    }
}

/// What became of it in one way. Times are of those that succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnTask {
    /// Requests sent.
    pub sent: u64,
    /// Requests not accepted, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Accepted tasks by how they ended.
    pub ended: BTreeMap<String, u64>,
    /// Failed tasks by the code and the message of their error.
    pub errors: BTreeMap<String, u64>,
    /// Accepted requests: from sending to the end of the answer.
    pub accept_us: Option<Distribution>,
    /// From being accepted to being started.
    pub accepted_to_started_us: Option<Distribution>,
    /// From being started to the end: how long the work takes.
    pub started_to_finished_us: Option<Distribution>,
    /// From being accepted to the end.
    pub accepted_to_finished_us: Option<Distribution>,
    /// The most memory that the worker's environment had used so far, when a task had ended; `None` where its log does not
    /// tell, or no function works.
    pub max_memory_used_mb: Option<Distribution>,
    /// What came out of the first task that succeeded.
    pub result: Option<Value>,
    /// Whether another task of this way had another result.
    pub results_differ: bool,
    /// What a million of them cost, in US dollars, modelled; `None` where this way cannot do it.
    pub usd_per_million: Option<f64>,
}

impl OwnTask {
    /// How many of them did not come to what they should.
    pub fn not_succeeded(&self) -> u64 {
        self.sent - self.ended.get(SUCCEEDED).copied().unwrap_or(0)
    }
}

/// The tasks of one way so far.
#[derive(Debug, Default)]
pub struct OwnTaskRuns {
    since: Option<Timestamp>,
    sent: u64,
    refused: BTreeMap<String, u64>,
    latencies: Vec<u64>,
    tasks: Vec<Task>,
}

impl OwnTaskRuns {
    /// Hands the task in once more, and follows it to its end.
    ///
    /// # Errors
    /// Fails with a [`Refusal`](crate::client::Refusal) when the API finds fault with the request, and otherwise when the
    /// task does not end.
    pub async fn add(&mut self, target: &Target, task: &Value) -> Result<()> {
        self.since.get_or_insert_with(Timestamp::now);
        self.sent += 1;
        let begin = Instant::now();
        match target.tasks.accept(task).await {
            Ok(accepted) => {
                self.latencies.push(microseconds(begin.elapsed()));
                let ended = target.tasks.finished_within(&accepted.id()?, LIMIT).await?;
                self.tasks.push(ended);
            }
            Err(refusal) if refusal.is_for_good() => return Err(refusal.into()),
            // That is how the plain request ends whose work takes too long.
            Err(refusal) => *self.refused.entry(refusal.reason).or_default() += 1,
        }
        Ok(())
    }

    /// What was measured; `None` where nothing was handed in.
    ///
    /// # Errors
    /// Fails when the worker's log cannot be read.
    pub async fn figures(&self, target: &Target) -> Result<Option<OwnTask>> {
        let Some(since) = self.since else {
            return Ok(None);
        };
        let reports = target
            .logs
            .worker_reports(target, since, self.tasks.len() as u64)
            .await?;
        let errors = self.tasks.iter().filter_map(|task| task.error.as_ref());
        let mut results = self.tasks.iter().filter_map(|task| task.result.as_ref());
        let result = results.next().cloned();
        Ok(Some(OwnTask {
            sent: self.sent,
            refused: self.refused.clone(),
            ended: counts(self.tasks.iter().map(|task| task.status.clone())),
            errors: counts(errors.map(|error| format!("{}: {}", error.code, error.message))),
            accept_us: some(self.latencies.iter().copied())?,
            accepted_to_started_us: self.times(Task::accepted_to_started)?,
            started_to_finished_us: self.times(Task::started_to_finished)?,
            accepted_to_finished_us: self.times(Task::accepted_to_finished)?,
            max_memory_used_mb: some(reports.iter().map(|report| report.max_memory_used_mb))?,
            results_differ: results.any(|other| result.as_ref() != Some(other)),
            result,
            usd_per_million: None,
        }))
    }

    fn times(&self, span: fn(&Task) -> Option<Duration>) -> Result<Option<Distribution>> {
        let succeeded = self.tasks.iter().filter(|task| task.status == SUCCEEDED);
        some(succeeded.filter_map(span).map(microseconds))
    }
}

fn some(samples: impl Iterator<Item = u64>) -> Result<Option<Distribution>> {
    let mut samples = samples.peekable();
    samples
        .peek()
        .is_some()
        .then(|| Distribution::of(samples))
        .transpose()
}
