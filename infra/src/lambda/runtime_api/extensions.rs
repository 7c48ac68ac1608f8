//! The Extensions API, for extensions within the runtime's own process, which get SIGTERM for it at the end
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>). The names of errors are those of
//! AWS's Runtime Interface Emulator (<https://github.com/aws/aws-lambda-runtime-interface-emulator>).

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::{Call, accepted, error, gone, json_response, not_found};

/// The version in every path.
pub(super) const VERSION: &str = "2020-01-01";

const NAME: HeaderName = HeaderName::from_static("lambda-extension-name");
const IDENTIFIER: HeaderName = HeaderName::from_static("lambda-extension-identifier");
const EVENT_IDENTIFIER: HeaderName = HeaderName::from_static("lambda-extension-event-identifier");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-extension-function-error-type");

/// The largest body of a registration, in bytes.
const LARGEST_REGISTRATION: usize = 64 * 1024;

/// Where the answer to an extension's call goes: JSON, or why the call is refused.
pub(in crate::lambda) type Answer = oneshot::Sender<Result<Value, Refusal>>;

/// A call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lambda) struct Refusal {
    pub(in crate::lambda) error_type: &'static str,
    pub(in crate::lambda) message: &'static str,
}

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    events: Vec<String>,
}

pub(super) async fn handle(
    path: &[&str],
    request: Request<Incoming>,
    calls: &mpsc::Sender<Call>,
) -> Response<Full<Bytes>> {
    let method = request.method().clone();
    match (method, path) {
        (Method::POST, ["register"]) => register(request, calls).await,
        (Method::GET, ["event", "next"]) => next(request.headers(), calls).await,
        (Method::POST, ["init" | "exit", "error"]) => fail(request.headers(), calls).await,
        _ => not_found(),
    }
}

async fn register(request: Request<Incoming>, calls: &mpsc::Sender<Call>) -> Response<Full<Bytes>> {
    let Some(name) = text(request.headers(), &NAME).map(str::to_owned) else {
        return refused(Refusal {
            error_type: "Extension.InvalidExtensionName",
            message: "Empty extension name",
        });
    };
    let body = Limited::new(request.into_body(), LARGEST_REGISTRATION)
        .collect()
        .await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let Ok(registration) = serde_json::from_slice::<Registration>(&body) else {
        return error(
            StatusCode::BAD_REQUEST,
            "InvalidRequestFormat",
            "the body has to be JSON with a list of events",
        );
    };
    let id = uuid::Uuid::new_v4().to_string();
    let identifier = HeaderValue::try_from(id.clone());
    let answer = ask(calls, |answer| Call::RegisterExtension {
        id,
        name,
        events: registration.events,
        answer,
    })
    .await;
    with_header(answer, IDENTIFIER, identifier)
}

async fn next(headers: &HeaderMap, calls: &mpsc::Sender<Call>) -> Response<Full<Bytes>> {
    let Some(id) = text(headers, &IDENTIFIER).map(str::to_owned) else {
        return refused(UNKNOWN);
    };
    let answer = ask(calls, |answer| Call::ExtensionNext { id, answer }).await;
    with_header(
        answer,
        EVENT_IDENTIFIER,
        HeaderValue::try_from(uuid::Uuid::new_v4().to_string()),
    )
}

async fn fail(headers: &HeaderMap, calls: &mpsc::Sender<Call>) -> Response<Full<Bytes>> {
    let Some(id) = text(headers, &IDENTIFIER).map(str::to_owned) else {
        return refused(UNKNOWN);
    };
    let Some(error_type) = text(headers, &ERROR_TYPE).map(str::to_owned) else {
        let message = "Lambda-Extension-Function-Error-Type is missing";
        return refused(Refusal {
            error_type: "Extension.MissingHeader",
            message,
        });
    };
    match ask(calls, |answer| Call::ExtensionError {
        id,
        error_type,
        answer,
    })
    .await
    {
        Some(Ok(_)) => accepted(),
        answer => with_header(answer, IDENTIFIER, Err(())),
    }
}

/// No extension has the identifier that the call gives.
pub(in crate::lambda) const UNKNOWN: Refusal = Refusal {
    error_type: "Extension.UnknownExtensionIdentifier",
    message: "Unknown extension",
};

/// Has a call answered; nothing, where the environment is shut down instead.
async fn ask(
    calls: &mpsc::Sender<Call>,
    call: impl FnOnce(Answer) -> Call,
) -> Option<Result<Value, Refusal>> {
    let (sender, answer) = oneshot::channel();
    calls.send(call(sender)).await.ok()?;
    answer.await.ok()
}

fn with_header<E>(
    answer: Option<Result<Value, Refusal>>,
    name: HeaderName,
    value: Result<HeaderValue, E>,
) -> Response<Full<Bytes>> {
    match answer {
        Some(Ok(body)) => {
            let mut response = json_response(StatusCode::OK, &body);
            response
                .headers_mut()
                .extend(value.ok().map(|value| (name, value)));
            response
        }
        Some(Err(refusal)) => refused(refusal),
        None => gone(),
    }
}

fn refused(refusal: Refusal) -> Response<Full<Bytes>> {
    let body = json!({"errorType": refusal.error_type, "errorMessage": refusal.message});
    json_response(StatusCode::FORBIDDEN, &body)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}
