//! What functions are billed for a task, beyond the task itself: warm invocations by their REPORT lines.

use anyhow::{Result, ensure};
use jiff::Timestamp;

use crate::client::TaskApi;
use crate::event;
use crate::results::{Billed, BilledInvocation};
use crate::statistics::Distribution;
use crate::target::Target;

/// How many invocations are looked at.
const TIMES: u32 = 20;

/// Measures a warm deployment.
///
/// # Errors
/// Fails when an invocation does, or was not warm.
pub async fn measure(target: &Target) -> Result<Billed> {
    let api = match target.variant.api_function() {
        Some(function) => Some(accepting(target, function).await?),
        None => None,
    };
    Ok(Billed { api, worker: None })
}

async fn accepting(target: &Target, function: &str) -> Result<BilledInvocation> {
    let mut reports = Vec::new();
    // The first may have to start an environment.
    for time in 0..=TIMES {
        let event = event::post_tasks(&TaskApi::empty_task(), Timestamp::now());
        let invocation = target.lambda.invoke(function, &event).await?;
        let status = invocation.payload["statusCode"].as_u64();
        ensure!(
            status == Some(target.variant.accepted_status().into()),
            "{function} did not accept the request: {}",
            invocation.payload
        );
        if time > 0 {
            reports.push(invocation.report);
        }
    }
    let billed = reports.iter().map(|report| report.billed.as_millis());
    let billed = billed.map(u64::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(BilledInvocation {
        duration_ms: Distribution::of(billed)?,
        memory_mb: reports.first().map_or(0, |report| report.memory_size_mb),
    })
}
