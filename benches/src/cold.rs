//! Cold starts. Two views, because a log can be read only where Invoke returns it: the API function's first
//! invocation by its REPORT line, and a first request over HTTP with every function cold, through to the task.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use serde_json::Value;

use crate::client::TaskApi;
use crate::event;
use crate::progress::Phase;
use crate::results::{Cold, ColdTask};
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
    /// From the task's being accepted to its start, by its record; `None` where there are no tasks.
    pub accepted_to_started: Option<Duration>,
}

/// Measures cold starts `times` over, by both views.
///
/// # Errors
/// Fails when one of them cannot be measured.
pub async fn measure(target: &Target, times: u32, phase: &Phase) -> Result<Cold> {
    let mut invocations = Vec::new();
    let mut requests = Vec::new();
    for _ in 0..times {
        invocations.push(first_invocation(target).await?);
        requests.push(first_request(target).await?);
        phase.advance();
    }
    Ok(Cold {
        init_us: distribution(invocations.iter().map(|first| first.init))?,
        duration_us: distribution(invocations.iter().map(|first| first.duration))?,
        first_answer_us: distribution(invocations.iter().map(|first| first.to_first_answer()))?,
        max_memory_mb: Distribution::of(invocations.iter().map(|first| first.max_memory_mb))?,
        accept_us: distribution(requests.iter().map(|first| first.accept))?,
        task: target
            .variant
            .runs_tasks()
            .then(|| cold_task(&requests))
            .transpose()?,
    })
}

fn cold_task(requests: &[FirstRequest]) -> Result<ColdTask> {
    let started = || {
        requests
            .iter()
            .filter_map(|first| Some((first.accept, first.accepted_to_started?)))
    };
    Ok(ColdTask {
        accepted_to_started_us: distribution(started().map(|(_, start)| start))?,
        request_to_started_us: distribution(started().map(|(accept, start)| accept + start))?,
    })
}

/// Resets the API function and invokes it with a request.
///
/// # Errors
/// Fails when the request is not accepted, or when the execution environment was not a fresh one.
pub async fn first_invocation(target: &Target) -> Result<FirstInvocation> {
    let function = target.variant.api_function();
    target.lambda.reset(function).await?;
    let event = event::post_tasks(&TaskApi::empty_task(), Timestamp::now());
    let invocation = target.lambda.invoke(function, &event).await?;
    let status = invocation.payload["statusCode"].as_u64();
    ensure!(
        status == Some(target.variant.accepted_status().into()),
        "{function} did not accept the request: {}",
        invocation.payload
    );
    if target.variant.runs_tasks() {
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
    for function in target.variant.functions() {
        target.lambda.reset(function).await?;
    }
    let task = TaskApi::empty_task();
    let sent = Instant::now();
    let accepted = target.tasks.accept(&task).await?;
    let accept = sent.elapsed();
    if !target.variant.runs_tasks() {
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
