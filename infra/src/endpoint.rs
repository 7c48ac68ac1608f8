//! The AWS endpoint: one address at which SDKs and the AWS CLI find every service, told apart as AWS's protocols allow:
//! Lambda by its paths, CloudFormation by the version of its API, the others by the `X-Amz-Target` header. Chaos reaches
//! the calls of functions here, those of the user never.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    http::{
        HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE, request::Parts, uri::PathAndQuery,
    },
    serve::{Listener as _, ListenerExt as _},
};
use bytes::Bytes;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    chaos::{Chaos, Fault},
    cloudformation::{self, CloudFormation, Query},
    dynamodb,
    iam::{Iam, Service},
    lambda::{Lambda, api},
    logs,
    sqs::{self, Sqs},
};

/// The largest request that any of the services takes, in bytes: the 16 MB of `BatchWriteItem`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>).
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

/// The services behind the endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// Who may call them.
    pub iam: Arc<Iam>,
    /// CloudFormation.
    pub cloudformation: CloudFormation,
    /// Lambda.
    pub lambda: Lambda,
    /// SQS.
    pub sqs: Sqs,
    /// What goes wrong on purpose.
    pub chaos: Chaos,
    /// DynamoDB.
    pub dynamodb: dynamodb::Client,
}

/// The response to a request is lost: its connection closes without one.
#[derive(Debug, thiserror::Error)]
#[error("the response is lost")]
struct Lost;

/// Serves the endpoint on `listener`, for ever; over TLS where there is an acceptor for it.
pub async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, endpoint: Endpoint) -> Infallible {
    let endpoint = Arc::new(endpoint);
    // Answers are short, and somebody waits for each. Where this fails, they come a little later.
    let mut listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    loop {
        // It does not fail: axum tries again.
        let (connection, _) = listener.accept().await;
        tokio::spawn(serve_connection(connection, tls.clone(), Arc::clone(&endpoint)));
    }
}

async fn serve_connection(connection: TcpStream, tls: Option<TlsAcceptor>, endpoint: Arc<Endpoint>) {
    match tls {
        None => serve_requests(connection, &endpoint).await,
        Some(tls) => {
            // A client that does not trust us goes away by itself.
            if let Ok(connection) = tls.accept(connection).await {
                serve_requests(connection, &endpoint).await;
            }
        }
    }
}

async fn serve_requests(connection: impl AsyncRead + AsyncWrite + Unpin, endpoint: &Endpoint) {
    let service = service_fn(|request| answer(endpoint, request));
    // A connection that breaks is its client's affair. An error of the service closes it.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(connection), service)
        .await;
}

async fn answer(endpoint: &Endpoint, request: Request<Incoming>) -> Result<Response<Body>, Lost> {
    let (request, body) = request.into_parts();
    let Ok(body) = to_bytes(Body::new(body), LARGEST_REQUEST).await else {
        return Ok(refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            "the request is too large",
        ));
    };
    let Some(service) = service(&request, &body) else {
        return Ok(refusal(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            "the local cloud has CloudFormation, CloudWatch Logs, Lambda, DynamoDB and SQS, and SQS by its JSON protocol \
             only",
        ));
    };
    match endpoint.iam.check(service, &request, &body) {
        Ok(caller) => match caller.function_name() {
            Some(function) => endpoint.serve_function(function, service, request, body).await,
            None => Ok(endpoint.serve(service, request, body).await),
        },
        Err(refused) => Ok(refused.response(service)),
    }
}

/// Which service a request is for.
fn service(request: &Parts, body: &[u8]) -> Option<Service> {
    if request.uri.path().starts_with(api::FUNCTIONS) {
        return Some(Service::Lambda);
    }
    let Some((target, _)) = target(request) else {
        let query = Query::parse(body);
        return query.is_for_cloudformation().then_some(Service::CloudFormation);
    };
    match target {
        "AmazonSQS" => Some(Service::Sqs),
        logs::TARGET => Some(Service::Logs),
        name if name.starts_with("DynamoDB") => Some(Service::DynamoDb),
        _ => None,
    }
}

/// The service and the operation that a request of a JSON protocol names.
fn target(request: &Parts) -> Option<(&str, &str)> {
    header(request, "x-amz-target")?.split_once('.')
}

fn header<'a>(request: &'a Parts, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

/// What a request asks for, in a word or two.
fn operation(request: &Parts) -> String {
    match target(request) {
        Some((_, operation)) => operation.to_owned(),
        None => format!("{} {}", request.method, request.uri.path()),
    }
}

/// The answer to a request that is throttled.
fn throttled(service: Service) -> Response<Body> {
    match service {
        Service::CloudFormation => cloudformation::throttled().map(Body::from),
        Service::Lambda => api::throttled().map(Body::from),
        Service::Logs => logs::throttled().map(Body::from),
        Service::Sqs => sqs::throttled().map(Body::from),
        Service::DynamoDb => dynamodb::throttled(),
    }
}

impl Endpoint {
    /// Answers a call of a function, unless chaos gets in the way: both its decisions are drawn for each call.
    async fn serve_function(
        &self,
        function: &str,
        service: Service,
        request: Parts,
        body: Bytes,
    ) -> Result<Response<Body>, Lost> {
        let is_throttled = self.chaos.throttles_call();
        let is_lost = self.chaos.drops_response();
        if !is_throttled && !is_lost {
            return Ok(self.serve(service, request, body).await);
        }
        let call = format!("{} {} by {function}", service.name(), operation(&request));
        if is_throttled {
            self.chaos
                .inflicted(Fault::Throttle, &format!("throttled {call}"));
            return Ok(throttled(service));
        }
        self.serve(service, request, body).await;
        let what = format!("dropped the response to {call}");
        self.chaos.inflicted(Fault::DropResponse, &what);
        Err(Lost)
    }

    async fn serve(&self, service: Service, request: Parts, body: Bytes) -> Response<Body> {
        match service {
            Service::CloudFormation => self.cloudformation.handle(&Query::parse(&body)).map(Body::from),
            Service::Logs => {
                let (_, operation) = target(&request).unwrap_or_default();
                logs::handle(&self.lambda, operation, &body).map(Body::from)
            }
            Service::Lambda => {
                let path = request.uri.path_and_query().map_or("/", PathAndQuery::as_str);
                let answer = api::handle(&self.lambda, &request.method, path, &request.headers, body).await;
                answer.map(Body::from)
            }
            Service::Sqs => {
                let (_, operation) = target(&request).unwrap_or_default();
                let trace = header(&request, "x-amzn-trace-id");
                let answer = self.sqs.handle_in_trace(operation, trace, &body).await;
                answer.map(Body::from)
            }
            Service::DynamoDb => {
                let answer = self.dynamodb.pass_on(request, body).await;
                answer.unwrap_or_else(|error| {
                    refusal(StatusCode::BAD_GATEWAY, "ServiceUnavailable", &error.to_string())
                })
            }
        }
    }
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(
        json!({"__type": error_type, "message": message}).to_string(),
    ));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-amz-json-1.0"),
    );
    response
}
