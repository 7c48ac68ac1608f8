//! What functions are billed for a task, beyond the task itself: warm invocations by their REPORT lines. Those of the API
//! function come with the answer, those of the worker, for which nobody waits, from CloudWatch Logs.

use anyhow::Result;
use jiff::Timestamp;

use crate::report_line::ReportLine;
use crate::results::{Billed, BilledInvocation};
use crate::statistics::Distribution;
use crate::target::Target;

/// How many invocations are looked at.
pub const TIMES: u32 = 20;

/// Measures a warm deployment, which has run so many empty tasks since that time, and maybe others before.
///
/// # Errors
/// Fails when an invocation does, or a log cannot be read.
pub async fn measure(target: &Target, since: Timestamp, tasks: u64) -> Result<Billed> {
    let reports = target.logs.worker_reports(target, since, tasks).await?;
    let warm: Vec<ReportLine> = reports
        .into_iter()
        .filter(|report| report.init_duration.is_none())
        .collect();
    let worker = (!warm.is_empty()).then(|| billed(&warm)).transpose()?;
    let api = match target.accepting_function() {
        Some(function) => Some(accepting(target, function).await?),
        None => None,
    };
    Ok(Billed { api, worker })
}

async fn accepting(target: &Target, function: &str) -> Result<BilledInvocation> {
    let mut reports = Vec::new();
    // The first may have to start an environment.
    for time in 0..=TIMES {
        let invocation = target.invoke_to_accept(function).await?;
        if time > 0 {
            reports.push(invocation.report);
        }
    }
    billed(&reports)
}

fn billed(reports: &[ReportLine]) -> Result<BilledInvocation> {
    let billed = reports.iter().map(|report| report.billed.as_millis());
    let billed = billed.map(u64::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(BilledInvocation {
        duration_ms: Distribution::of(billed)?,
        memory_mb: reports.first().map_or(0, |report| report.memory_size_mb),
    })
}
