//! Many tasks at once: how soon they have all begun, how soon they are all done, and how many wait in between. All of
//! it by the tasks' records, so that it is the same for every variant and needs no look into it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::{Accepted, Refusal, SUCCEEDED, Task};
use crate::cold::microseconds;
use crate::progress::Phase;
use crate::statistics::Distribution;
use crate::target::Target;
use crate::warm::records;

/// How long each task of a burst sleeps, in milliseconds: long enough that they need environments of their own.
pub const TASK_MILLIS: u64 = 1_000;

/// At how many moments the course of a burst is recorded.
const MOMENTS: usize = 120;

/// What became of a burst.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Burst {
    /// Requests sent, all at once.
    pub sent: u64,
    /// Requests accepted.
    pub accepted: u64,
    /// Requests not accepted, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Accepted tasks that succeeded.
    pub succeeded: u64,
    /// Accepted requests: from sending to the end of the answer.
    pub accept_us: Distribution,
    /// From the first task's being accepted to the last one's start.
    pub all_started_us: u64,
    /// From the first task's being accepted to the last one's end.
    pub all_finished_us: u64,
    /// The most tasks that ran at the same moment.
    pub most_at_once: u64,
    /// Execution environments that were started meanwhile, of all functions; `None` where there are no functions.
    pub environments: Option<u64>,
    /// How it went on.
    pub course: Vec<Moment>,
}

/// The tasks of a burst at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// Since the first task was accepted.
    pub at_us: u64,
    /// Tasks accepted and not begun: the depth of the queue, wherever it is.
    pub waiting: u64,
    /// Tasks that run.
    pub running: u64,
}

/// Hands in so many tasks at once and follows them to their ends.
///
/// # Errors
/// Fails when no request is accepted, or a task's record cannot be read.
pub async fn measure(target: &Target, tasks: u32) -> Result<Burst> {
    let begin = Timestamp::now();
    let answers = {
        let _phase = Phase::begin(target.variant, &format!("{tasks} tasks at once"), 0);
        hand_in(target, tasks).await
    };
    let mut refused = BTreeMap::new();
    let (mut ids, mut latencies) = (Vec::new(), Vec::new());
    for (latency, answer) in answers {
        match answer {
            Ok(accepted) => {
                ids.push(accepted.id()?);
                latencies.push(microseconds(latency));
            }
            Err(Refusal { reason, .. }) => *refused.entry(reason).or_default() += 1,
        }
    }
    ensure!(
        !ids.is_empty(),
        "none of {tasks} requests was accepted: {refused:?}"
    );
    let ended = records(target, ids).await?.ended;
    let spans: Vec<Span> = ended.iter().filter_map(Span::of).collect();
    let (course, most_at_once) = course(&spans);
    let first = spans.iter().map(|span| span.accepted).min();
    let until = |last: Option<Timestamp>| first.zip(last).map_or(0, |(first, last)| since(first, last));
    Ok(Burst {
        sent: tasks.into(),
        accepted: latencies.len() as u64,
        refused,
        succeeded: ended.iter().filter(|task| task.status == SUCCEEDED).count() as u64,
        accept_us: Distribution::of(latencies)?,
        all_started_us: until(spans.iter().map(|span| span.started).max()),
        all_finished_us: until(spans.iter().map(|span| span.finished).max()),
        most_at_once,
        environments: target.logs.environments_started(target, begin).await?,
        course,
    })
}

async fn hand_in(target: &Target, tasks: u32) -> Vec<(Duration, Result<Accepted, Refusal>)> {
    let task = json!({"kind": "sleep", "millis": TASK_MILLIS});
    let mut requests = JoinSet::new();
    for _ in 0..tasks {
        let (api, task) = (target.tasks.clone(), task.clone());
        requests.spawn(async move {
            let sent = std::time::Instant::now();
            let answer = api.accept(&task).await;
            (sent.elapsed(), answer)
        });
    }
    requests.join_all().await
}

/// When a task waited and when it ran.
#[derive(Clone, Copy, Debug)]
struct Span {
    accepted: Timestamp,
    started: Timestamp,
    finished: Timestamp,
}

impl Span {
    /// Of a task that has ended; one that was never begun has none.
    fn of(task: &Task) -> Option<Self> {
        Some(Self {
            accepted: task.accepted_at,
            started: task.started_at?,
            finished: task.finished_at?,
        })
    }
}

/// How many waited and ran, at evenly spaced moments; and the most that ran at any moment.
fn course(spans: &[Span]) -> (Vec<Moment>, u64) {
    let (Some(first), Some(last)) = (
        spans.iter().map(|span| span.accepted).min(),
        spans.iter().map(|span| span.finished).max(),
    ) else {
        return (Vec::new(), 0);
    };
    let length = since(first, last).max(1);
    let moment = |index: usize| {
        let at_us = length * index as u64 / MOMENTS as u64;
        let count = |in_it: &dyn Fn(&Span) -> bool| spans.iter().filter(|span| in_it(span)).count() as u64;
        let is_past = |time: Timestamp| since(first, time) <= at_us;
        Moment {
            at_us,
            waiting: count(&|span| is_past(span.accepted) && !is_past(span.started)),
            running: count(&|span| is_past(span.started) && !is_past(span.finished)),
        }
    };
    let starts = spans.iter().map(|span| (span.started, 1_i64));
    let ends = spans.iter().map(|span| (span.finished, -1));
    let mut changes: Vec<(Timestamp, i64)> = starts.chain(ends).collect();
    // At the same moment an end comes first: the two did not run together.
    changes.sort_unstable();
    let mut running = 0;
    let running = changes.iter().map(|(_, change)| {
        running += change;
        running
    });
    let most = running.max().unwrap_or(0);
    ((0..=MOMENTS).map(moment).collect(), most.unsigned_abs())
}

/// In microseconds; what clocks of two machines make negative counts as zero.
fn since(first: Timestamp, later: Timestamp) -> u64 {
    later.duration_since(first).try_into().map_or(0, microseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(accepted: i64, started: i64, finished: i64) -> Span {
        let at = |millis| Timestamp::from_millisecond(1_700_000_000_000 + millis).unwrap();
        Span {
            accepted: at(accepted),
            started: at(started),
            finished: at(finished),
        }
    }

    #[test]
    fn a_task_waits_until_it_starts_and_runs_until_it_ends() {
        let (course, most) = course(&[span(0, 60, 120), span(0, 0, 60)]);
        let at = |millis: usize| (course[millis].waiting, course[millis].running);
        assert_eq!((at(0), at(59), at(60), at(120)), ((1, 1), (1, 1), (0, 1), (0, 0)));
        assert_eq!(most, 1, "one ends at the moment at which the other starts");
    }

    #[test]
    fn the_most_at_once_is_seen_between_the_moments_too() {
        let spans: Vec<Span> = (0..7)
            .map(|_| span(0, 1_001, 1_002))
            .chain([span(0, 0, 120_000)])
            .collect();
        assert_eq!(course(&spans).1, 8);
    }

    #[test]
    fn nothing_has_no_course() {
        assert_eq!(course(&[]), (Vec::new(), 0));
    }
}
