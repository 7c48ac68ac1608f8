//! The Runtime API that a function's process polls for work
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>): a listener for each execution environment, on
//! a port of its own, so that the address says which environment is calling. It serves the Extensions API as well.

pub(super) mod extensions;

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE,
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use super::invocation::{Invocation, Outcome};
use extensions::Answer as ExtensionAnswer;

/// The version in every path.
const VERSION: &str = "2018-06-01";

/// Names the attempt at an event.
const INVOCATION_ID: HeaderName = HeaderName::from_static("lambda-runtime-invocation-id");

/// The largest response of a function, in bytes: 6 MB and a little, as the error for a larger one says.
const LARGEST_RESPONSE: usize = 6 * 1024 * 1024 + 100;

/// How long a connection that could not be accepted waits.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// What the runtime asked for.
#[derive(Debug)]
pub(super) enum Call {
    /// The next event; the runtime waits.
    Next(oneshot::Sender<Delivery>),
    /// A response, or an error instead of one.
    Answered {
        attempt: Attempt,
        outcome: Outcome,
        answer: oneshot::Sender<Answer>,
    },
    /// An error during init.
    InitError { payload: Bytes },
    /// An extension is there and wants these events.
    RegisterExtension {
        id: String,
        name: String,
        events: Vec<String>,
        answer: ExtensionAnswer,
    },
    /// The next event for an extension; it waits.
    ExtensionNext { id: String, answer: ExtensionAnswer },
    /// An extension cannot go on.
    ExtensionError {
        id: String,
        error_type: String,
        answer: ExtensionAnswer,
    },
}

/// Which attempt at which event a runtime speaks of. Runtimes need not name the attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) request_id: String,
    pub(super) invocation_id: Option<String>,
}

/// Whether a response was for the event that is being handled.
#[derive(Debug)]
pub(super) enum Answer {
    Accepted,
    UnknownRequest,
}

/// An event on its way to the runtime.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) invocation: Arc<Invocation>,
    /// Which attempt at it this is.
    pub(super) invocation_id: String,
    pub(super) deadline: SystemTime,
    pub(super) function_arn: Arc<str>,
}

/// The server side of one environment's Runtime API; closed when dropped.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    pub(super) address: SocketAddr,
    pub(super) calls: mpsc::Receiver<Call>,
    server: AbortHandle,
}

impl RuntimeApi {
    pub(super) async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, calls) = mpsc::channel(4);
        let server = tokio::spawn(serve(listener, sender)).abort_handle();
        Ok(Self {
            address,
            calls,
            server,
        })
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, calls: mpsc::Sender<Call>) {
    // The connections end with the set, and the set with this task.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // For want of a file descriptor, perhaps: the others are at it as well.
            sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let calls = calls.clone();
        connections.spawn(serve_connection(stream, calls));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_connection(stream: TcpStream, calls: mpsc::Sender<Call>) {
    // Without it, the answer to a small request may wait for an acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let calls = calls.clone();
        async move { Ok::<_, Infallible>(handle(request, &calls).await) }
    });
    // A connection that breaks is the environment's end, which is noticed by its process.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn handle(request: Request<Incoming>, calls: &mpsc::Sender<Call>) -> Response<Full<Bytes>> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let path = match segments.as_slice() {
        [VERSION, "runtime", path @ ..] => path,
        [extensions::VERSION, "extension", path @ ..] => {
            return extensions::handle(path, request, calls).await;
        }
        _ => return not_found(),
    };
    match (method, path) {
        (Method::GET, ["invocation", "next"]) => next(calls).await,
        (Method::POST, ["init", "error"]) => init_error(request, calls).await,
        (Method::POST, ["invocation", id, "response"]) => finish(id, request, calls, Outcome::response).await,
        (Method::POST, ["invocation", id, "error"]) => finish(id, request, calls, Outcome::error).await,
        _ => not_found(),
    }
}

async fn next(calls: &mpsc::Sender<Call>) -> Response<Full<Bytes>> {
    let (sender, delivery) = oneshot::channel();
    if calls.send(Call::Next(sender)).await.is_err() {
        return gone();
    }
    match delivery.await {
        Ok(delivery) => event_response(&delivery).unwrap_or_else(gone),
        Err(_) => gone(),
    }
}

fn event_response(delivery: &Delivery) -> Option<Response<Full<Bytes>>> {
    let Delivery {
        invocation,
        invocation_id,
        deadline,
        function_arn,
    } = delivery;
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_millis();
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        "lambda-runtime-aws-request-id",
        invocation.request_id.parse().ok()?,
    );
    headers.insert(INVOCATION_ID, invocation_id.parse().ok()?);
    headers.insert("lambda-runtime-deadline-ms", deadline.to_string().parse().ok()?);
    headers.insert("lambda-runtime-invoked-function-arn", function_arn.parse().ok()?);
    headers.insert("lambda-runtime-trace-id", invocation.trace_id.parse().ok()?);
    if let Some(context) = &invocation.client_context {
        headers.insert("lambda-runtime-client-context", context.parse().ok()?);
    }
    let mut response = Response::new(Full::new(invocation.payload.clone()));
    *response.headers_mut() = headers;
    Some(response)
}

async fn init_error(request: Request<Incoming>, calls: &mpsc::Sender<Call>) -> Response<Full<Bytes>> {
    let payload = match body(request).await {
        Ok(payload) => payload,
        Err(Unreadable::TooLarge) => return too_large(),
        Err(Unreadable::Broken) => return gone(),
    };
    match calls.send(Call::InitError { payload }).await {
        Ok(()) => accepted(),
        Err(_) => gone(),
    }
}

async fn finish(
    request_id: &str,
    request: Request<Incoming>,
    calls: &mpsc::Sender<Call>,
    outcome: impl FnOnce(Bytes) -> Outcome,
) -> Response<Full<Bytes>> {
    let invocation_id = request
        .headers()
        .get(INVOCATION_ID)
        .and_then(|id| id.to_str().ok());
    let invocation_id = invocation_id.map(str::to_owned);
    let attempt = Attempt {
        request_id: request_id.to_owned(),
        invocation_id,
    };
    let (outcome, response) = match body(request).await {
        Ok(payload) => (outcome(payload), accepted()),
        Err(Unreadable::TooLarge) => (Outcome::too_large(LARGEST_RESPONSE), too_large()),
        Err(Unreadable::Broken) => return gone(),
    };
    let (sender, answer) = oneshot::channel();
    if calls
        .send(Call::Answered {
            attempt,
            outcome,
            answer: sender,
        })
        .await
        .is_err()
    {
        return gone();
    }
    match answer.await {
        Ok(Answer::Accepted) => response,
        Ok(Answer::UnknownRequest) => {
            error(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
        }
        Err(_) => gone(),
    }
}

/// Why a body could not be read.
enum Unreadable {
    TooLarge,
    /// The runtime hung up.
    Broken,
}

async fn body(request: Request<Incoming>) -> Result<Bytes, Unreadable> {
    let body = Limited::new(request.into_body(), LARGEST_RESPONSE)
        .collect()
        .await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            Unreadable::TooLarge
        } else {
            Unreadable::Broken
        }
    })
}

fn accepted() -> Response<Full<Bytes>> {
    json_response(StatusCode::ACCEPTED, &json!({"status": "OK"}))
}

fn not_found() -> Response<Full<Bytes>> {
    error(
        StatusCode::NOT_FOUND,
        "ResourceNotFound",
        "there is no such operation in the Runtime API",
    )
}

fn too_large() -> Response<Full<Bytes>> {
    error(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        "Exceeded maximum allowed payload size",
    )
}

/// The environment is being shut down.
fn gone() -> Response<Full<Bytes>> {
    error(
        StatusCode::GONE,
        "InvalidStateTransition",
        "this execution environment is shut down",
    )
}

fn error(status: StatusCode, error_type: &str, message: &str) -> Response<Full<Bytes>> {
    json_response(status, &json!({"errorType": error_type, "errorMessage": message}))
}

fn json_response(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
