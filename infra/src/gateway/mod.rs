//! An HTTP API of API Gateway: routes requests to functions, in payload format 2.0, and waits 30 seconds for each
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html>).

mod cors;
mod event;
mod response;
mod routes;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, Response, StatusCode, header::CONTENT_TYPE, request::Parts},
};
use serde_json::json;
use tokio::{net::TcpListener, time::timeout};

use crate::{
    lambda::{Lambda, function::Throttled, invocation::Invocation},
    template,
};
use routes::{Match, Routes};

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
    account_id: String,
    routes: Routes,
    cors: Option<template::CorsConfiguration>,
    lambda: Lambda,
}

/// Serves the API on `listener`, for ever.
///
/// # Errors
///
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    declared: template::HttpApi,
    account_id: String,
    lambda: Lambda,
) -> std::io::Result<()> {
    let api = Arc::new(Api {
        id: declared.id,
        account_id,
        routes: Routes::new(declared.routes),
        cors: declared.cors,
        lambda,
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
    if let Some(preflight) = api.cors.as_ref().and_then(|cors| cors::preflight(cors, &request)) {
        return preflight;
    }
    let origin = request.headers.get("origin").cloned();
    let mut response = api.integrate(client, request, body).await;
    if let Some((cors, origin)) = api.cors.as_ref().zip(origin) {
        cors::allow(cors, &origin, response.headers_mut());
    }
    response
}

impl Api {
    async fn integrate(&self, client: SocketAddr, request: Parts, body: Body) -> Response<Body> {
        if header_size(&request) > LARGEST_HEADERS {
            return refusal(
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                "Request Header Fields Too Large",
            );
        }
        let Some(route) = self.routes.find(&request.method, request.uri.path()) else {
            return refusal(StatusCode::NOT_FOUND, "Not Found");
        };
        let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let event = event::build(
            &event::Source {
                api: self,
                client,
                request: &request,
                route: &route,
            },
            &body,
        );
        self.invoke(&route, event.to_string()).await
    }

    async fn invoke(&self, route: &Match<'_>, event: String) -> Response<Body> {
        let Some(function) = self.lambda.function(route.function_name) else {
            return refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
        };
        let outcome = match function.invoke(Invocation::new(event.into())) {
            Ok(outcome) => timeout(INTEGRATION_TIMEOUT, outcome).await,
            Err(Throttled) => return refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        };
        match outcome {
            // The function runs on; nobody gets its answer.
            Err(_elapsed) => refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            Ok(Ok(outcome)) if outcome.function_error.is_none() => response::from_payload(&outcome.payload)
                .unwrap_or_else(|| refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")),
            Ok(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        }
    }
}

/// What API Gateway itself answers.
fn refusal(status: StatusCode, message: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(json!({ "message": message }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        axum::http::HeaderValue::from_static("application/json"),
    );
    response
}

fn header_size(request: &Parts) -> usize {
    let headers: &HeaderMap = &request.headers;
    let headers: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    request.uri.path_and_query().map_or(0, |path| path.as_str().len()) + headers
}
