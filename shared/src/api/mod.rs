//! The API half: accepts tasks, records them, hands them over, and answers for them.
//!
//! The contract is `shared/openapi.yaml`. This file is its routes; reading a request is in [`request`], writing a
//! response in [`response`], refusing in [`problem`], accepting in [`accept`].

mod accept;
mod caller;
mod problem;
mod request;
mod response;
#[cfg(test)]
mod tests;

use std::convert::Infallible;

use lambda_http::{Body, Request, RequestExt, Response, http::Method};
use lambda_runtime::Context;
use tracing::error;

use crate::{Record, TaskId, Timestamp, Worker, store::Replaced};
use problem::Problem;

/// The HTTP interface, over a store and a way to hand tasks over.
///
/// ```
/// use lambda_http::{Body, RequestExt, http::{Request, StatusCode}};
/// use shared::{Api, Worker, store::MemoryStore};
/// # use shared::{Dispatch, DispatchError, TaskMessage, async_trait};
/// #
/// # struct Nobody;
/// # #[async_trait]
/// # impl Dispatch for Nobody {
/// #     async fn dispatch(&self, _: &TaskMessage, _: &lambda_runtime::Context) -> Result<(), DispatchError> {
/// #         Ok(())
/// #     }
/// # }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// // On AWS the store is DynamoDB (`Worker::on_aws`), and `lambda_http::run` brings the requests.
/// let api = Api::new(Worker::new(MemoryStore::default(), Nobody));
/// let request = Request::post("/tasks")
///     .header("content-type", "application/json")
///     .body(Body::from(r#"{"kind": "sleep", "millis": 45000}"#))?;
/// let response = api.handle(request.with_raw_http_path("/tasks")).await?;
/// assert_eq!(response.status(), StatusCode::ACCEPTED);
/// assert!(response.headers().contains_key("location"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct Api {
    worker: Worker,
}

impl Api {
    /// The interface to the tasks of `worker`: to its store, handing over as it does. It runs those that are to be
    /// run within the request.
    pub fn new(worker: Worker) -> Self {
        Self { worker }
    }

    /// Answers one request. What goes wrong is an answer too, so there is no error.
    ///
    /// # Errors
    ///
    /// Never; the signature is the one that `lambda_http` asks of a handler.
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Infallible> {
        let answer = self.route(&request).await;
        Ok(answer.unwrap_or_else(|problem| {
            if let Some(cause) = &problem.cause {
                error!(status = problem.status(), detail = cause, "a request failed");
            }
            response::problem(&problem)
        }))
    }

    async fn route(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let path = request.raw_http_path();
        let mut segments = path.trim_start_matches('/').split('/');
        match (segments.next(), segments.next(), segments.next()) {
            (Some("tasks"), None, None) => match *request.method() {
                Method::POST => self.create(request).await,
                _ => Err(Problem::method_not_allowed("POST")),
            },
            (Some("tasks"), Some(id), None) => match *request.method() {
                Method::GET => self.read(id).await,
                Method::DELETE => self.cancel(id, &invocation(request)).await,
                _ => Err(Problem::method_not_allowed("GET, DELETE")),
            },
            _ => Err(Problem::not_found(format!("there is nothing at {path}"))),
        }
    }

    async fn create(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let wanted = request::read(request)?;
        let invocation = invocation(request);
        if wanted.wait {
            let record = self.run_within(wanted, &invocation).await?;
            return Ok(response::waited(&record));
        }
        let record = self.accept(wanted, &invocation).await?;
        Ok(response::accepted(&record))
    }

    async fn read(&self, id: &str) -> Result<Response<Body>, Problem> {
        Ok(response::found(&self.find(id).await?))
    }

    async fn cancel(&self, id: &str, invocation: &Context) -> Result<Response<Body>, Problem> {
        let mut record = self.find(id).await?;
        while let Some(cancelled) = record.cancelled(Timestamp::now()) {
            match self.worker.store.replace(&cancelled).await? {
                Replaced::Done => {
                    record = cancelled;
                    self.worker.announce(&record, invocation).await;
                    break;
                }
                Replaced::Conflict(Some(newer)) => record = *newer,
                Replaced::Conflict(None) => return Err(Problem::no_such_task(id)),
            }
        }
        Ok(response::accepted(&record))
    }

    async fn find(&self, id: &str) -> Result<Record, Problem> {
        let parsed: TaskId = id.parse().map_err(|_| Problem::no_such_task(id))?;
        self.worker
            .store
            .get(&parsed)
            .await?
            .ok_or_else(|| Problem::no_such_task(id))
    }
}

/// The context of the invocation that brought the request. Lambda always gives one.
fn invocation(request: &Request) -> Context {
    request.lambda_context_ref().cloned().unwrap_or_default()
}
