//! The AWS endpoint: one address at which SDKs and the AWS CLI find Lambda, SQS and DynamoDB, told apart as AWS's
//! protocols allow: Lambda by its paths, the others by the `X-Amz-Target` header.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE, request::Parts, uri::PathAndQuery},
    serve::ListenerExt as _,
};
use bytes::Bytes;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    dynamodb,
    iam::{Iam, Service},
    lambda::{Lambda, api},
    sqs::Sqs,
};

/// The largest request that any of the services takes, in bytes: the 16 MB of `BatchWriteItem`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>).
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

/// The services behind the endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// Who may call them.
    pub iam: Iam,
    /// Lambda.
    pub lambda: Lambda,
    /// SQS.
    pub sqs: Sqs,
    /// DynamoDB.
    pub dynamodb: dynamodb::Client,
}

/// Serves the endpoint on `listener`, for ever.
///
/// # Errors
///
/// The listener failed.
pub async fn serve(listener: TcpListener, endpoint: Endpoint) -> std::io::Result<()> {
    let router = Router::new().fallback(answer).with_state(Arc::new(endpoint));
    // Answers are short, and somebody waits for each. Where this fails, they come a little later.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, router).await
}

async fn answer(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response<Body> {
    let (request, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_REQUEST).await else {
        return refusal(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestEntityTooLarge",
            "the request is too large",
        );
    };
    let Some(service) = service(&request) else {
        return refusal(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            "the local cloud has Lambda, SQS and DynamoDB, and SQS by its JSON protocol only",
        );
    };
    match endpoint.iam.check(service, &request, &body) {
        Ok(()) => endpoint.serve(service, request, body).await,
        Err(refused) => refused.response(service),
    }
}

/// Which service a request is for.
fn service(request: &Parts) -> Option<Service> {
    if request.uri.path().starts_with(api::FUNCTIONS) {
        return Some(Service::Lambda);
    }
    match target(request)? {
        ("AmazonSQS", _) => Some(Service::Sqs),
        (name, _) if name.starts_with("DynamoDB") => Some(Service::DynamoDb),
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

impl Endpoint {
    async fn serve(&self, service: Service, request: Parts, body: Bytes) -> Response<Body> {
        match service {
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
