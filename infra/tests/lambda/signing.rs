//! Signs requests to the AWS endpoint with AWS's own library; both the tests and the function that they run do.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};

/// The headers that sign a request, given the ones that it has.
pub(crate) fn headers(
    credentials: Credentials,
    service: &str,
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Vec<(String, String)> {
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("all parameters are there")
        .into();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new(method, url, headers, SignableBody::Bytes(body)).expect("a request");
    let (signature, _) = sign(request, &parameters).expect("it can be signed").into_parts();
    signature
        .headers()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
