//! An HTTP API of API Gateway: routes requests to functions, in payload format 2.0, and waits 30 seconds for each; or
//! sends them to a queue (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html>).

mod access_log;
mod call;
mod cors;
mod event;
mod path;
mod queue;
mod response;
mod routes;
mod throttle;

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, Response, StatusCode, header, request::Parts},
};
use bytes::Bytes;
use serde_json::json;
use tokio::{net::TcpListener, time::timeout};

pub(crate) use self::event::OF_THE_CONNECTION;
use self::{
    access_log::{AccessLog, Entry},
    call::Call,
    path::decoded_path,
    routes::{Match, Routes},
    throttle::Throttle,
};
use crate::{
    iam::{Account, Caller, Iam},
    lambda::{LARGEST_EVENT, Lambda, invocation::Invocation},
    sqs::Sqs,
    template::{self, Target},
};

/// How long an integration may take. It cannot be raised
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest request body, and the most that request line and headers may take together, in bytes (same source).
const LARGEST_BODY: usize = 10 * 1024 * 1024;
const LARGEST_HEADERS: usize = 10_240;

/// What all requests to an API need.
#[derive(Debug)]
struct Api {
    id: String,
    account: Account,
    port: u16,
    routes: Routes,
    cors: Option<template::CorsConfiguration>,
    throttle: Throttle,
    routes_with_iam: BTreeSet<String>,
    iam: Arc<Iam>,
    access_log: Option<AccessLog>,
    services: Services,
}

/// The services that routes lead to.
#[derive(Debug)]
pub struct Services {
    /// Lambda.
    pub lambda: Lambda,
    /// SQS.
    pub sqs: Sqs,
}

/// What API Gateway itself answers.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    status: StatusCode,
    message: &'static str,
}

const BAD_REQUEST: Refusal = Refusal::new(StatusCode::BAD_REQUEST, "Bad Request");
/// Whatever is wrong with the signature, and whatever is not allowed; it is not documented, and widely observed.
const FORBIDDEN: Refusal = Refusal::new(StatusCode::FORBIDDEN, "Forbidden");
const NOT_FOUND: Refusal = Refusal::new(StatusCode::NOT_FOUND, "Not Found");
const BODY_TOO_LARGE: Refusal = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
const TOO_MANY: Refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
const HEADERS_TOO_LARGE: Refusal = Refusal::new(
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    "Request Header Fields Too Large",
);
const BROKEN: Refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
const UNAVAILABLE: Refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");

/// Serves the API on `listener`, for ever.
///
/// # Errors
///
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    declared: template::HttpApi,
    account: Account,
    services: Services,
    iam: Arc<Iam>,
) -> std::io::Result<()> {
    let api = Arc::new(Api {
        id: declared.id,
        account,
        port: listener.local_addr()?.port(),
        routes: Routes::new(declared.routes),
        cors: declared.cors,
        throttle: Throttle::new(declared.throttling),
        routes_with_iam: declared.routes_with_iam,
        iam,
        access_log: declared
            .access_log_format
            .map(|format| AccessLog::new(declared.logical_id, format)),
        services,
    });
    let router = Router::new().fallback(answer).with_state(api);
    axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .await
}

async fn answer(
    State(api): State<Arc<Api>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (request, body) = request.into_parts();
    let call = Call::new(client, request);
    if let Some(preflight) = api
        .cors
        .as_ref()
        .and_then(|cors| cors::preflight(cors, &call.request))
    {
        return api.finish(&call, None, None, preflight);
    }
    let route = api.route(&call);
    let answered = match &route {
        Ok(route) => api.integrate(&call, route, body).await,
        Err(refusal) => Err(*refusal),
    };
    let error = answered.as_ref().err().map(|refusal| refusal.message);
    let mut response = answered.unwrap_or_else(Refusal::response);
    if let Some(cors) = &api.cors {
        cors::rule(cors, &call.request, response.headers_mut());
    }
    api.finish(&call, route.ok().as_ref(), error, response)
}

impl Api {
    fn route(&self, call: &Call) -> Result<Match<'_>, Refusal> {
        if header_size(&call.request) > LARGEST_HEADERS {
            return Err(HEADERS_TOO_LARGE);
        }
        let path = decoded_path(call.request.uri.path()).ok_or(BAD_REQUEST)?;
        self.routes.find(&call.request.method, path).ok_or(NOT_FOUND)
    }

    async fn integrate(&self, call: &Call, route: &Match<'_>, body: Body) -> Result<Response<Body>, Refusal> {
        if !self.throttle.admits(&route.key, call.begun) {
            return Err(TOO_MANY);
        }
        let body = to_bytes(body, LARGEST_BODY).await.map_err(|_| BODY_TOO_LARGE)?;
        let caller = self
            .routes_with_iam
            .contains(&route.key)
            .then(|| self.iam.check_request_to_api(&self.id, &call.request, &body))
            .transpose()
            .map_err(|_| FORBIDDEN)?;
        match route.target {
            Target::Function(name) => self.invoke(name, self.event(call, caller, route, &body)?).await,
            Target::SendMessage(integration) => {
                queue::send(integration, &self.account, &self.services.sqs, &body)
            }
        }
    }

    /// The invocation that a request becomes.
    fn event(
        &self,
        call: &Call,
        caller: Option<Caller<'_>>,
        route: &Match<'_>,
        body: &Bytes,
    ) -> Result<Invocation, Refusal> {
        let mut invocation = Invocation::new(Bytes::new());
        let trace = invocation.trace_id.split(';').next().unwrap_or_default();
        let source = event::Source {
            api: self,
            call,
            caller,
            route,
            trace,
        };
        let event = event::build(&source, body).to_string();
        if event.len() > LARGEST_EVENT {
            return Err(BODY_TOO_LARGE);
        }
        invocation.payload = event.into();
        Ok(invocation)
    }

    async fn invoke(&self, function_name: &str, invocation: Invocation) -> Result<Response<Body>, Refusal> {
        let function = self.services.lambda.function(function_name).ok_or(BROKEN)?;
        let outcome = function.invoke(invocation).map_err(|_| UNAVAILABLE)?;
        // When the time is over, the function runs on; nobody gets its answer.
        let outcome = timeout(INTEGRATION_TIMEOUT, outcome)
            .await
            .map_err(|_| UNAVAILABLE)?;
        let outcome = outcome
            .ok()
            .filter(|outcome| outcome.function_error.is_none())
            .ok_or(BROKEN)?;
        response::from_payload(outcome.payload).ok_or(BROKEN)
    }

    /// Gives an answer what every answer has, and writes its line of the access log.
    fn finish(
        &self,
        call: &Call,
        route: Option<&Match<'_>>,
        error: Option<&str>,
        mut response: Response<Body>,
    ) -> Response<Body> {
        if let Ok(id) = HeaderValue::try_from(&call.request_id) {
            response.headers_mut().insert("apigw-requestid", id);
        }
        if let Some(log) = &self.access_log {
            log.write(&Entry {
                call,
                api_id: &self.id,
                account_id: &self.account.id,
                route_key: route.map(|route| route.key.as_str()),
                error,
                response: &response,
            });
        }
        response
    }
}

impl Refusal {
    const fn new(status: StatusCode, message: &'static str) -> Self {
        Self { status, message }
    }

    fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(json!({ "message": self.message }).to_string()));
        *response.status_mut() = self.status;
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

fn header_size(request: &Parts) -> usize {
    let headers: usize = request
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    request.uri.path_and_query().map_or(0, |path| path.as_str().len()) + headers
}
