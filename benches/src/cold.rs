//! Cold starts. Two views: the API function's first invocation by its REPORT line, which Invoke returns, and a first
//! request over HTTP with every function cold, through to the task.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::TaskApi;
use crate::results::{self, Cold, ColdByMemory, ColdTask};
use crate::statistics::Distribution;
use crate::target::Target;

/// The first invocation of a fresh execution environment of the API function.
#[derive(Clone, Copy, Debug)]
pub struct FirstInvocation {
    /// How long the init phase took, from the start of the process.
    pub init: Duration,
    /// How long the handler then took for the request.
    pub duration: Duration,
    /// The most memory that the environment used, in MB.
    pub max_memory_mb: u64,
}

impl FirstInvocation {
    /// From the start of the process to the first answer.
    pub fn to_first_answer(self) -> Duration {
        self.init + self.duration
    }
}

/// A first request over HTTP, with every function of the deployment cold.
#[derive(Clone, Copy, Debug)]
pub struct FirstRequest {
    /// From sending the request to having the answer.
    pub accept: Duration,
    /// From the task's being accepted to its start, by its record; `None` where it was not followed.
    pub accepted_to_started: Option<Duration>,
}

/// Cold starts of one deployment, measured one at a time, so that those of others can come between.
#[derive(Debug, Default)]
pub struct ColdStarts {
    invocations: Vec<FirstInvocation>,
    requests: Vec<FirstRequest>,
}

impl ColdStarts {
    /// Measures one more, by both views. A server is never cold: there is nothing to measure.
    ///
    /// # Errors
    /// Fails when one of them cannot be measured.
    pub async fn add(&mut self, target: &Target) -> Result<()> {
        if target.accepting_function().is_some() {
            self.invocations.push(first_invocation(target).await?);
        }
        if target.functions.all().next().is_some() {
            self.requests.push(first_request(target).await?);
        }
        Ok(())
    }

    /// What was measured; `None` where nothing was.
    ///
    /// # Errors
    /// Fails when a sample is out of range.
    pub fn figures(&self) -> Result<Option<Cold>> {
        if self.requests.is_empty() {
            return Ok(None);
        }
        Ok(Some(Cold {
            first_invocation: (!self.invocations.is_empty())
                .then(|| figures(&self.invocations))
                .transpose()?,
            accept_us: distribution(self.requests.iter().map(|first| first.accept))?,
            task: cold_task(&self.requests)?,
            worker_init_us: None,
        }))
    }
}

/// The init durations of the worker's cold invocations since that time, in so many rounds; `None` where none was cold.
///
/// # Errors
/// Fails when the worker's log cannot be read.
pub async fn worker_init(target: &Target, since: Timestamp, rounds: u32) -> Result<Option<Distribution>> {
    // In each round a task is handed in over HTTP, and one by Invoke where a function takes it.
    let tasks = u64::from(rounds)
        * if target.accepting_function().is_some() {
            2
        } else {
            1
        };
    let reports = target.logs.worker_reports(target, since, tasks).await?;
    let init: Vec<Duration> = reports.iter().filter_map(|report| report.init_duration).collect();
    (!init.is_empty())
        .then(|| distribution(init.into_iter()))
        .transpose()
}

/// The distributions of first invocations.
///
/// # Errors
/// Fails when there is none.
pub fn figures(invocations: &[FirstInvocation]) -> Result<results::FirstInvocation> {
    let all = || invocations.iter();
    Ok(results::FirstInvocation {
        init_us: distribution(all().map(|first| first.init))?,
        duration_us: distribution(all().map(|first| first.duration))?,
        first_answer_us: distribution(all().map(|first| first.to_first_answer()))?,
        max_memory_mb: Distribution::of(all().map(|first| first.max_memory_mb))?,
    })
}

fn cold_task(requests: &[FirstRequest]) -> Result<Option<ColdTask>> {
    let started: Vec<(Duration, Duration)> = requests
        .iter()
        .filter_map(|first| Some((first.accept, first.accepted_to_started?)))
        .collect();
    if started.is_empty() {
        return Ok(None);
    }
    Ok(Some(ColdTask {
        accepted_to_started_us: distribution(started.iter().map(|(_, start)| *start))?,
        request_to_started_us: distribution(started.iter().map(|(accept, start)| *accept + *start))?,
    }))
}

/// Measures cold starts with another memory size of all functions, by both views.
///
/// # Errors
/// Fails when the size is refused, or a cold start cannot be measured.
pub async fn with_memory(target: &Target, memory_mb: u32, times: u32) -> Result<ColdByMemory> {
    for function in target.functions.all() {
        target.lambda.set_memory(function, memory_mb).await?;
    }
    let (mut invocations, mut requests) = (Vec::new(), Vec::new());
    for _ in 0..times {
        // An environment that is still being limited holds up the start of the next.
        tokio::time::sleep(SETTLE).await;
        invocations.push(first_invocation(target).await?);
        tokio::time::sleep(SETTLE).await;
        requests.push(first_request(target).await?);
    }
    Ok(ColdByMemory {
        memory_mb,
        first_invocation: figures(&invocations)?,
        task: cold_task(&requests)?,
    })
}

/// Resets the API function and invokes it with a request.
///
/// # Errors
/// Fails when the request is not accepted, or when the execution environment was not a fresh one.
pub async fn first_invocation(target: &Target) -> Result<FirstInvocation> {
    let function = target.accepting_function().context("there is no API function")?;
    target.lambda.reset(function).await?;
    let invocation = target.invoke_to_accept(function).await?;
    if target.variant.ends_tasks() {
        // The next reset must not meet this task.
        target.tasks.succeeded(&id_of(&invocation.payload)?).await?;
    }
    Ok(FirstInvocation {
        init: invocation
            .report
            .init_duration
            .context("not a cold start: the REPORT line has no Init Duration")?,
        duration: invocation.report.duration,
        max_memory_mb: invocation.report.max_memory_used_mb,
    })
}

fn id_of(response: &Value) -> Result<String> {
    let body = response["body"]
        .as_str()
        .context("the function's answer has no body")?;
    let body: Value = serde_json::from_str(body).context("the body of the function's answer is not JSON")?;
    Ok(body["id"]
        .as_str()
        .context("the function's answer has no id")?
        .to_owned())
}

/// Resets every function and sends a request.
///
/// # Errors
/// Fails when the request is not accepted, or its task does not succeed.
pub async fn first_request(target: &Target) -> Result<FirstRequest> {
    for function in target.functions.all() {
        target.lambda.reset(function).await?;
    }
    let task = TaskApi::empty_task();
    let sent = Instant::now();
    let accepted = target.tasks.accept(&task).await?;
    let accept = sent.elapsed();
    if !target.variant.ends_tasks() {
        return Ok(FirstRequest {
            accept,
            accepted_to_started: None,
        });
    }
    // A look at the record is a request too. One sent at once would compete with the task for the cold functions.
    tokio::time::sleep(SETTLE).await;
    let id = accepted.id()?;
    let task = target.tasks.succeeded(&id).await?;
    let accepted_to_started = task
        .accepted_to_started()
        .with_context(|| format!("task {id} never started"))?;
    Ok(FirstRequest {
        accept,
        accepted_to_started: Some(accepted_to_started),
    })
}

const SETTLE: Duration = Duration::from_millis(200);

fn distribution(durations: impl Iterator<Item = Duration>) -> Result<Distribution> {
    Distribution::of(durations.map(microseconds))
}

/// Whole microseconds.
pub fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
