//! CloudWatch Logs, where the REPORT lines of invocations are found that nobody waited for: those of the worker
//! (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>).

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aws_sdk_cloudwatchlogs::Client;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::aws::{Aws, readable};
use crate::progress::Phase;
use crate::report_line::ReportLine;
use crate::target::Target;

/// How long lines may take to be found after they were written.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_secs(1);

/// How long the number of lines has to stay the same to be the number.
const SETTLED: Duration = Duration::from_secs(2);

/// How far this machine's clock may be ahead of the service's.
const CLOCKS_DIFFER_BY: SignedDuration = SignedDuration::from_secs(5);

/// A client of CloudWatch Logs.
#[derive(Clone, Debug)]
pub struct Logs {
    client: Client,
}

/// A line of a log.
#[derive(Clone, Debug)]
struct Line {
    stream: String,
    text: String,
}

impl Logs {
    /// A client of this account's logs.
    pub fn new(aws: &Aws) -> Self {
        Self {
            client: Client::new(aws.config()),
        }
    }

    /// The REPORT lines of the worker's invocations since that time. Lines are found a little after they were written, so
    /// it is waited for so many; what has not come within a minute is not waited for.
    ///
    /// # Errors
    /// Fails when the log cannot be read, or has a REPORT line that cannot.
    pub async fn worker_reports(
        &self,
        target: &Target,
        since: Timestamp,
        expected: u64,
    ) -> Result<Vec<ReportLine>> {
        let functions = &target.functions;
        let Some(worker) = functions.worker.as_ref().filter(|_| target.variant.has_worker()) else {
            return Ok(Vec::new());
        };
        let _phase = Phase::begin(target.variant, "reading the worker's log", 0);
        // Who reads whole invocations sees what they were; otherwise their REPORT lines are enough.
        let pattern = (!functions.are_one()).then_some("\"REPORT RequestId\"");
        let begin = Instant::now();
        loop {
            let lines = self.lines(worker, since - CLOCKS_DIFFER_BY, pattern).await?;
            let reports = if functions.are_one() {
                reports_of_tasks(&lines)?
            } else {
                lines
                    .iter()
                    .map(|line| ReportLine::last_of(&line.text))
                    .collect::<Result<_>>()?
            };
            if reports.len() as u64 >= expected || begin.elapsed() > PATIENCE {
                return Ok(reports);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// How many execution environments of the target's functions have been started since that time: invocations whose REPORT
    /// line has an init duration. Lines are found a little after they were written, so they are counted until their number
    /// stays the same. Nothing where there are no functions.
    ///
    /// # Errors
    /// Fails when a log cannot be read.
    pub async fn environments_started(&self, target: &Target, since: Timestamp) -> Result<Option<u64>> {
        let begin = Instant::now();
        let mut last = None;
        while target.functions.all().next().is_some() {
            let mut started = 0;
            for function in target.functions.all() {
                let lines = self.lines(function, since, Some("\"Init Duration\"")).await?;
                started += lines.len() as u64;
            }
            if last == Some(started) || begin.elapsed() > PATIENCE {
                return Ok(Some(started));
            }
            last = Some(started);
            tokio::time::sleep(SETTLED).await;
        }
        Ok(None)
    }

    async fn lines(&self, function: &str, since: Timestamp, pattern: Option<&str>) -> Result<Vec<Line>> {
        let group = format!("/aws/lambda/{function}");
        let mut pages = self
            .client
            .filter_log_events()
            .log_group_name(&group)
            .start_time(since.as_millisecond())
            .set_filter_pattern(pattern.map(str::to_owned))
            .into_paginator()
            .send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page
                .map_err(readable)
                .with_context(|| format!("cannot read the log {group}"))?;
            lines.extend(page.events().iter().map(|event| Line {
                stream: event.log_stream_name().unwrap_or_default().to_owned(),
                text: event.message().unwrap_or_default().to_owned(),
            }));
        }
        Ok(lines)
    }
}

/// The REPORT lines of the invocations in which a task ended. In a log stream, one invocation follows another.
fn reports_of_tasks(lines: &[Line]) -> Result<Vec<ReportLine>> {
    let mut has_ended: HashMap<&str, bool> = HashMap::new();
    let mut reports = Vec::new();
    for Line { stream, text } in lines {
        let has_ended = has_ended.entry(stream).or_default();
        if text.starts_with("REPORT ") {
            if std::mem::take(has_ended) {
                reports.push(ReportLine::last_of(text)?);
            }
        } else if says_that_a_task_ended(text) {
            *has_ended = true;
        }
    }
    Ok(reports)
}

fn says_that_a_task_ended(line: &str) -> bool {
    #[derive(Deserialize)]
    struct Logged {
        message: String,
    }
    serde_json::from_str::<Logged>(line).is_ok_and(|logged| logged.message == "task ended")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(stream: &str, text: &str) -> Line {
        Line {
            stream: stream.into(),
            text: text.into(),
        }
    }

    fn report(milliseconds: u32) -> String {
        format!(
            "REPORT RequestId: 1\tDuration: {milliseconds}.00 ms\tBilled Duration: {milliseconds} ms\tMemory Size: 256 MB\t\
             Max Memory Used: 12 MB\n"
        )
    }

    #[test]
    fn of_a_function_that_does_both_the_invocations_count_in_which_a_task_ended() {
        let ended = "{\"level\":\"INFO\",\"message\":\"task ended\",\"task_id\":\"a\"}\n";
        let lines = [
            line("a", "START RequestId: 1 Version: $LATEST\n"),
            line("a", ended),
            line("b", "START RequestId: 2 Version: $LATEST\n"),
            line("b", "{\"message\":\"task accepted\"}\n"),
            line("b", &report(7)),
            line("a", &report(3)),
            line("a", &report(9)),
        ];
        let reports = reports_of_tasks(&lines).unwrap();
        let durations: Vec<_> = reports.iter().map(|report| report.billed.as_millis()).collect();
        assert_eq!(durations, [3]);
    }
}
