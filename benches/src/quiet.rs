//! How far a task gets when its client goes away: one task that computes, then not a single request, then one look at its
//! record. Whoever looks more often changes the answer, for each request thaws an environment for a moment, and with it
//! what was left behind there.

use std::time::Duration;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::target::Target;

/// A task after a time without requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quiet {
    /// How long there was no request after the answer.
    pub seconds: u32,
    /// What the record then said of the task.
    pub status: String,
    /// How much of the work its worker had recorded, from 0 to 1.
    pub progress: f64,
}

/// A second or two of computing: all ways do it at the same time.
fn task() -> Value {
    json!({"kind": "mandelbrot", "width": 512, "height": 512, "max_iterations": 5_000})
}

/// Hands in the task, waits, and looks once.
///
/// # Errors
/// Fails when the task is not accepted, or has no record.
pub async fn measure(target: &Target, seconds: u32) -> Result<Quiet> {
    let id = target.tasks.accept(&task()).await?.id()?;
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let task = target.tasks.task(&id).await?;
    Ok(Quiet {
        seconds,
        status: task.status,
        progress: task.progress,
    })
}
