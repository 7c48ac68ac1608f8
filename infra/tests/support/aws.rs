//! Requests to the AWS endpoint, signed as SDKs sign them.

use std::fmt::Display;

use aws_credential_types::Credentials;
use reqwest::{RequestBuilder, Response};
use serde::Serialize;

use super::signing;

/// A request that is signed when it is sent.
pub(crate) struct AwsRequest {
    request: RequestBuilder,
    keys: [String; 2],
    /// The service that is called, where neither a header nor the absence of one tells it.
    service: Option<&'static str>,
}

impl AwsRequest {
    /// Signs with these keys: access key id and secret access key.
    pub(crate) fn new(request: RequestBuilder, keys: [&str; 2]) -> Self {
        Self {
            request,
            keys: keys.map(str::to_owned),
            service: None,
        }
    }

    /// A request to an HTTP API, not to the AWS endpoint.
    pub(crate) fn to_an_api(request: RequestBuilder, keys: [&str; 2]) -> Self {
        Self {
            service: Some("execute-api"),
            ..Self::new(request, keys)
        }
    }

    /// Signs with other keys.
    pub(crate) fn with_keys(self, keys: [&str; 2]) -> Self {
        let keys = keys.map(str::to_owned);
        Self { keys, ..self }
    }

    pub(crate) fn header(self, name: &str, value: impl Display) -> Self {
        let request = self.request.header(name, value.to_string());
        Self { request, ..self }
    }

    pub(crate) fn json(self, body: &impl Serialize) -> Self {
        let request = self.request.json(body);
        Self { request, ..self }
    }

    pub(crate) fn body(self, body: impl Into<reqwest::Body>) -> Self {
        let request = self.request.body(body);
        Self { request, ..self }
    }

    pub(crate) async fn send(self) -> reqwest::Result<Response> {
        let (client, request) = self.request.build_split();
        let mut request = request?;
        let headers: Vec<(String, String)> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        let target = request
            .headers()
            .get("x-amz-target")
            .map(|target| target.to_str().unwrap());
        let service = match target {
            _ if self.service.is_some() => self.service.unwrap_or_default(),
            Some(target) if target.starts_with("AmazonSQS") => "sqs",
            Some(_) => "dynamodb",
            None => "lambda",
        };
        let [access_key_id, secret_access_key] = self.keys;
        let credentials = Credentials::new(access_key_id, secret_access_key, None, None, "test");
        let body = request
            .body()
            .and_then(reqwest::Body::as_bytes)
            .unwrap_or_default();
        let (method, url) = (request.method().as_str(), request.url().as_str());
        for (name, value) in signing::headers(credentials, service, method, url, &headers, body) {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        client.execute(request).await
    }
}
