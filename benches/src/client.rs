//! The HTTP API as a client sees it: hand in a task, look at its record.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::event::USER_AGENT;

/// The status of a task that did what it should.
pub const SUCCEEDED: &str = "succeeded";

/// Longer than API Gateway's 30 seconds
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>), so that its answer is
/// seen, not this client's impatience.
const REQUEST_LIMIT: Duration = Duration::from_secs(35);

/// How long a task may take before waiting for its end is given up.
pub const TASK_LIMIT: Duration = Duration::from_mins(1);

/// Between two looks at a record lies a fifth of the time that it has been waited for, but at least and at most this.
const POLL_INTERVALS: [Duration; 2] = [Duration::from_millis(5), Duration::from_secs(1)];

/// For how long looks at a record may fail, one after the other. One alone says little: the function that would have
/// answered may have been throttled.
const SILENCE_LIMIT: Duration = Duration::from_secs(10);

/// A client of one deployment's HTTP API. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct TaskApi {
    http: reqwest::Client,
    tasks_url: String,
    accepted_status: u16,
}

/// A request that was accepted.
#[derive(Debug)]
pub struct Accepted {
    body: Vec<u8>,
}

impl Accepted {
    /// The id of the task.
    ///
    /// Where the API sends requests to SQS itself, it is the id of the message, in the XML that SQS answers.
    ///
    /// # Errors
    /// Fails when the body has no id.
    pub fn id(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Body {
            id: String,
        }
        let text = String::from_utf8_lossy(&self.body);
        if let Some((_, rest)) = text.split_once("<MessageId>")
            && let Some((id, _)) = rest.split_once("</MessageId>")
        {
            return Ok(id.to_owned());
        }
        let body: Body =
            serde_json::from_str(&text).with_context(|| format!("accepted without an id: {text}"))?;
        Ok(body.id)
    }
}

/// A task had not ended when it was waited for no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotEnded {
    id: String,
    status: String,
    seconds: u64,
}

impl fmt::Display for NotEnded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, status, seconds } = self;
        write!(formatter, "task {id} is still {status} after {seconds} s")
    }
}

impl std::error::Error for NotEnded {}

/// Why a request was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Briefly enough to count equal ones.
    pub reason: String,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
    /// What the answer says about it, if it has problem details (RFC 9457).
    pub detail: Option<String>,
}

impl Refusal {
    fn of_answer(status: u16, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Problem {
            // API Gateway's own refusals have a message instead.
            #[serde(alias = "message")]
            detail: String,
        }
        let problem: Option<Problem> = serde_json::from_slice(body).ok();
        Self {
            reason: format!("status {status}"),
            status: Some(status),
            detail: problem.map(|problem| problem.detail),
        }
    }

    fn without_an_answer(error: &reqwest::Error) -> Self {
        let reason = if error.is_timeout() {
            "timed out"
        } else if error.is_connect() {
            "connection refused"
        } else {
            "connection broken"
        };
        Self {
            reason: reason.to_owned(),
            status: None,
            detail: None,
        }
    }

    /// Whether the same request would be refused again, because there is something wrong with it.
    pub fn is_for_good(&self) -> bool {
        let is_for_now = |status| [408, 409, 425, 429].contains(&status);
        self.status
            .is_some_and(|status| (400..500).contains(&status) && !is_for_now(status))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the request was not accepted: {}", self.reason)?;
        match &self.detail {
            Some(detail) => write!(formatter, ": {detail}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

/// The public record of a task, as far as it is measured.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    pub status: String,
    /// How often the task was begun.
    pub attempts: u64,
    /// When the API accepted it.
    pub accepted_at: Timestamp,
    /// When the worker began it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How much of the work is done, from 0 to 1.
    #[serde(default)]
    pub progress: f64,
    /// What came out, if it succeeded.
    pub result: Option<Value>,
    /// Why it failed, if it did.
    pub error: Option<TaskError>,
}

/// Why a task failed.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskError {
    /// A word for programs.
    pub code: String,
    /// What happened, for people.
    #[serde(default)]
    pub message: String,
}

impl Task {
    /// From being accepted to being started. The two times may come from two machines: what their clocks make
    /// negative counts as zero.
    pub fn accepted_to_started(&self) -> Option<Duration> {
        span(self.accepted_at, self.started_at)
    }

    /// From being started to its end.
    pub fn started_to_finished(&self) -> Option<Duration> {
        self.started_at
            .and_then(|started| span(started, self.finished_at))
    }

    /// From being accepted to its end.
    pub fn accepted_to_finished(&self) -> Option<Duration> {
        span(self.accepted_at, self.finished_at)
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        !matches!(self.status.as_str(), "queued" | "running")
    }
}

fn span(from: Timestamp, until: Option<Timestamp>) -> Option<Duration> {
    until.map(|until| until.duration_since(from).try_into().unwrap_or_default())
}

impl TaskApi {
    /// A client of the API at this URL, which accepts a request with this status.
    ///
    /// # Errors
    /// Fails when the HTTP client cannot be set up.
    pub fn new(api_url: &str, accepted_status: u16) -> Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(REQUEST_LIMIT)
            .tcp_nodelay(true)
            .build()
            .context("cannot set up the HTTP client")?;
        Ok(Self {
            http,
            tasks_url: format!("{}/tasks", api_url.trim_end_matches('/')),
            accepted_status,
        })
    }

    /// The task that does nothing: what remains to be measured is everything around it.
    pub fn empty_task() -> Value {
        json!({"kind": "sleep", "millis": 0})
    }

    /// Hands in a task and reads the whole answer.
    ///
    /// # Errors
    /// Fails when the answer is another than "accepted", or when none came.
    pub async fn accept(&self, task: &Value) -> Result<Accepted, Refusal> {
        self.send(self.request(task)).await
    }

    /// The same with an idempotency key: sent again, it makes no second task.
    ///
    /// # Errors
    /// Fails as [`accept`](Self::accept) does.
    pub async fn accept_once(&self, task: &Value, key: &str) -> Result<Accepted, Refusal> {
        self.send(self.request(task).header("idempotency-key", key)).await
    }

    fn request(&self, task: &Value) -> RequestBuilder {
        let request = self
            .http
            .post(&self.tasks_url)
            .header(CONTENT_TYPE, "application/json");
        request.body(task.to_string())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Accepted, Refusal> {
        let broken = |error| Refusal::without_an_answer(&error);
        let response = request.send().await.map_err(broken)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(broken)?;
        if status == self.accepted_status {
            Ok(Accepted { body: body.into() })
        } else {
            Err(Refusal::of_answer(status, &body))
        }
    }

    /// Waits until the task has ended, however it ended.
    ///
    /// # Errors
    /// Fails as [`finished_within`](Self::finished_within) a minute does.
    pub async fn finished(&self, id: &str) -> Result<Task> {
        self.finished_within(id, TASK_LIMIT).await
    }

    /// Waits until the task has ended, however it ended. The first look is at once, later ones at growing intervals. That
    /// there is no record yet is no error: where no function accepts tasks, it comes with the worker.
    ///
    /// # Errors
    /// Fails when looks at the record have failed for a while, or, as [`NotEnded`], when the task has not ended in that time.
    pub async fn finished_within(&self, id: &str, limit: Duration) -> Result<Task> {
        let begin = Instant::now();
        let [shortest, longest] = POLL_INTERVALS;
        let mut failing_since: Option<Instant> = None;
        loop {
            let looked = self.look(id).await;
            let is_late = begin.elapsed() > limit;
            match looked {
                Ok(Some(task)) if task.is_finished() => return Ok(task),
                Ok(task) if is_late => bail!(NotEnded {
                    id: id.to_owned(),
                    status: task.map_or_else(|| "unknown".to_owned(), |task| task.status),
                    seconds: limit.as_secs(),
                }),
                Ok(_) => failing_since = None,
                Err(error) => {
                    let since = *failing_since.get_or_insert_with(Instant::now);
                    if is_late || since.elapsed() > SILENCE_LIMIT {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep((begin.elapsed() / 5).clamp(shortest, longest)).await;
        }
    }

    /// Waits until the task has succeeded.
    ///
    /// # Errors
    /// Fails as [`finished`](Self::finished) does, and when the task ends otherwise.
    pub async fn succeeded(&self, id: &str) -> Result<Task> {
        let task = self.finished(id).await?;
        ensure!(task.status == SUCCEEDED, "task {id} ended {}", task.status);
        Ok(task)
    }

    /// The task's record as it is now.
    ///
    /// # Errors
    /// Fails when the record cannot be read.
    pub async fn task(&self, id: &str) -> Result<Task> {
        let task = self.look(id).await?;
        task.with_context(|| format!("there is no record of task {id}"))
    }

    async fn look(&self, id: &str) -> Result<Option<Task>> {
        let response = self.http.get(format!("{}/{id}", self.tasks_url)).send().await;
        let response = response.with_context(|| format!("cannot read task {id}"))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = response
            .error_for_status()
            .with_context(|| format!("cannot read task {id}"))?;
        response
            .json()
            .await
            .map(Some)
            .with_context(|| format!("task {id} is not a task's record"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(started_at: &str) -> Task {
        serde_json::from_value(json!({
            "id": "t", "kind": "sleep", "status": "succeeded", "attempts": 1,
            "accepted_at": "2026-03-09T07:05:04.000250Z", "started_at": started_at, "finished_at": null,
            "progress": 0.0,
        }))
        .unwrap()
    }

    #[test]
    fn spans_have_microseconds() {
        let span = task("2026-03-09T07:05:04.001500Z").accepted_to_started();
        assert_eq!(span, Some(Duration::from_micros(1250)));
    }

    #[test]
    fn clocks_that_disagree_give_zero() {
        assert_eq!(
            task("2026-03-09T07:05:03.9Z").accepted_to_started(),
            Some(Duration::ZERO)
        );
    }

    #[test]
    fn the_id_is_the_tasks_or_the_messages() {
        let id = |body: &str| Accepted { body: body.into() }.id().unwrap();
        assert_eq!(id(r#"{"id":"a"}"#), "a");
        assert_eq!(id("<R><S><MessageId>b</MessageId></S></R>"), "b");
    }

    #[test]
    fn a_refusal_says_what_is_wrong_with_the_request() {
        let refusal = Refusal::of_answer(400, br#"{"title":"Bad Request","detail":"millis: too many"}"#);
        assert_eq!(
            refusal.to_string(),
            "the request was not accepted: status 400: millis: too many"
        );
        assert!(refusal.is_for_good());
        assert!(!Refusal::of_answer(503, b"").is_for_good());
        assert!(!Refusal::of_answer(429, b"").is_for_good());
    }

    #[test]
    fn an_answer_without_an_id_is_shown() {
        let error = Accepted { body: b"{}".to_vec() }.id().unwrap_err();
        assert!(error.to_string().contains("{}"));
    }
}
