//! The AWS endpoint: one address at which SDKs and the AWS CLI find Lambda, SQS and DynamoDB, told apart as AWS's
//! protocols allow: Lambda by its paths, the others by the `X-Amz-Target` header.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE, request::Parts},
};
use bytes::Bytes;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    lambda::{Lambda, api},
    sqs::Sqs,
};

/// The largest request that any of the services takes, in bytes: BatchWriteItem's 16 MB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>).
const LARGEST_REQUEST: usize = 16 * 1024 * 1024;

/// The services behind the endpoint.
#[derive(Debug)]
pub struct Endpoint {
    /// Lambda.
    pub lambda: Lambda,
    /// SQS.
    pub sqs: Sqs,
    /// Where DynamoDB listens.
    pub dynamodb_url: String,
    /// Passes requests on to it.
    pub client: reqwest::Client,
}

/// Serves the endpoint on `listener`, for ever.
///
/// # Errors
///
/// The listener failed.
pub async fn serve(listener: TcpListener, endpoint: Endpoint) -> std::io::Result<()> {
    let router = Router::new().fallback(answer).with_state(Arc::new(endpoint));
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
    if request.uri.path().starts_with(api::FUNCTIONS) {
        let (method, path) = (&request.method, request.uri.path());
        return api::handle(&endpoint.lambda, method, path, &request.headers, body)
            .await
            .map(Body::from);
    }
    let target = request
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.split_once('.')) {
        Some(("AmazonSQS", operation)) => endpoint.sqs.handle(operation, &body).await.map(Body::from),
        Some((service, _)) if service.starts_with("DynamoDB") => endpoint.pass_on(request, body).await,
        _ => refusal(
            StatusCode::NOT_FOUND,
            "UnknownOperationException",
            "the local cloud has Lambda, SQS and DynamoDB, and SQS by its JSON protocol only",
        ),
    }
}

impl Endpoint {
    async fn pass_on(&self, request: Parts, body: Bytes) -> Response<Body> {
        let mut headers = request.headers;
        // They belong to this connection, not to the next.
        headers.remove("host");
        headers.remove("connection");
        let answer = self
            .client
            .post(&self.dynamodb_url)
            .headers(headers)
            .body(body)
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return refusal(StatusCode::BAD_GATEWAY, "ServiceUnavailable", &error.to_string()),
        };
        let (status, headers) = (answer.status(), answer.headers().clone());
        match answer.bytes().await {
            Ok(body) => {
                let mut response = Response::new(Body::from(body));
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                response
            }
            Err(error) => refusal(StatusCode::BAD_GATEWAY, "ServiceUnavailable", &error.to_string()),
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
