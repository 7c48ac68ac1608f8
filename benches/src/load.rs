//! The open-loop load generator: requests leave at a fixed rate, whether or not earlier ones have been answered,
//! and latency counts from the moment at which a request was due. A slow answer thus delays no other request, and
//! a stall shows in every request that it made late: no coordinated omission (Gil Tene, "How NOT to Measure
//! Latency", 2013, <https://github.com/giltene/wrk2#readme>).

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::progress::Phase;

/// When requests are due: evenly, at this rate, for this long.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Requests a second; at least 1.
    pub rate_per_second: u32,
    /// For how many seconds.
    pub seconds: u32,
}

impl Schedule {
    /// How many requests there are.
    pub fn requests(self) -> u32 {
        self.rate_per_second * self.seconds
    }

    /// When the request of this index is due, after the start.
    fn due(self, index: u32) -> Duration {
        Duration::from_secs_f64(f64::from(index) / f64::from(self.rate_per_second))
    }

    /// The moments at which requests are due, each delivered when it has come. A thread keeps the time, because
    /// Tokio's timers go by whole milliseconds; it ends with the schedule, or when nobody listens any more.
    fn start(self) -> Result<UnboundedReceiver<Instant>> {
        let (sender, receiver) = unbounded_channel();
        let pace = move || {
            let start = Instant::now();
            for index in 0..self.requests() {
                let due = start + self.due(index);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                if sender.send(due).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("pace".into())
            .spawn(pace)
            .context("cannot start the pacing thread")?;
        Ok(receiver)
    }
}

/// One request's story.
#[derive(Debug)]
pub struct Sent<Answer> {
    /// From when it was due to when it was sent: how far the generator itself was behind.
    pub lateness: Duration,
    /// From when it was due to the end of its answer.
    pub latency: Duration,
    /// What came back.
    pub answer: Answer,
}

/// Sends requests by the schedule and waits for all the answers.
///
/// # Errors
/// Fails when the generator cannot be started.
pub async fn run<Request, Answer>(
    schedule: Schedule,
    phase: &Phase,
    request: impl Fn() -> Request,
) -> Result<Vec<Sent<Answer>>>
where
    Request: Future<Output = Answer> + Send + 'static,
    Answer: Send + 'static,
{
    let mut moments = schedule.start()?;
    let mut requests = JoinSet::new();
    while let Some(due) = moments.recv().await {
        let request = request();
        requests.spawn(async move {
            let lateness = due.elapsed();
            let answer = request.await;
            Sent {
                lateness,
                latency: due.elapsed(),
                answer,
            }
        });
        phase.advance();
    }
    Ok(requests.join_all().await)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Mutex;

    use super::*;

    const SCHEDULE: Schedule = Schedule {
        rate_per_second: 100,
        seconds: 1,
    };

    #[test]
    fn requests_are_due_evenly() {
        assert_eq!(SCHEDULE.requests(), 100);
        assert_eq!(SCHEDULE.due(0), Duration::ZERO);
        assert_eq!(SCHEDULE.due(99), Duration::from_millis(990));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_request_that_is_never_quick_delays_no_other() {
        let sent = AtomicU32::new(0);
        let started = Instant::now();
        let answers = run(SCHEDULE, &Phase::silent(), || {
            let stalls = sent.fetch_add(1, Ordering::Relaxed) == 0;
            async move { tokio::time::sleep(Duration::from_secs(if stalls { 2 } else { 0 })).await }
        })
        .await
        .unwrap();
        let slow = answers
            .iter()
            .filter(|sent| sent.latency >= Duration::from_secs(1))
            .count();
        assert_eq!((answers.len(), slow), (100, 1));
        assert!(started.elapsed() >= Duration::from_secs(2));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn waiting_behind_a_stall_counts_as_latency() {
        let only_one = Arc::new(Mutex::new(0));
        let answers = run(SCHEDULE, &Phase::silent(), || {
            let only_one = Arc::clone(&only_one);
            async move {
                let mut served = only_one.lock().await;
                if *served == 0 {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                *served += 1;
            }
        })
        .await
        .unwrap();
        // The stall lasts for some 50 due times; the later a request was due, the less of it is left.
        let delayed = answers
            .iter()
            .filter(|sent| sent.latency > Duration::from_millis(50))
            .count();
        assert!(delayed > 30, "{delayed}");
    }
}
