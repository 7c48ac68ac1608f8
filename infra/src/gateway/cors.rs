//! Cross-origin resource sharing, where the API is configured for it: API Gateway answers preflight requests itself,
//! and overrides what functions say
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>).

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts},
};

use crate::template::CorsConfiguration;

/// The answer to a preflight request; nothing, where it is none.
pub(super) fn preflight(cors: &CorsConfiguration, request: &Parts) -> Option<Response<Body>> {
    let origin = request.headers.get(header::ORIGIN)?;
    if request.method != Method::OPTIONS
        || !request
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return None;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    allow(cors, origin, headers);
    if headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        set_list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.allow_methods);
        set_list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.allow_headers);
        if let Some(age) = cors.max_age {
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(age.as_secs()));
        }
    }
    Some(response)
}

/// Says on a response who may read it. What the function says of that does not count.
pub(super) fn rule(cors: &CorsConfiguration, request: &Parts, headers: &mut HeaderMap) {
    let named: Vec<_> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("access-control-"))
        .cloned()
        .collect();
    for name in named {
        headers.remove(name);
    }
    if let Some(origin) = request.headers.get(header::ORIGIN) {
        allow(cors, origin, headers);
    }
}

/// Says that pages of `origin` may read a response, if they may.
fn allow(cors: &CorsConfiguration, origin: &HeaderValue, headers: &mut HeaderMap) {
    let any = cors.allow_origins.iter().any(|allowed| allowed == "*");
    if !any
        && !cors
            .allow_origins
            .iter()
            .any(|allowed| is_allowed(allowed, origin.as_bytes()))
    {
        return;
    }
    let allowed = if any {
        HeaderValue::from_static("*")
    } else {
        origin.clone()
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    if cors.allow_credentials {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
    set_list(
        headers,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        &cors.expose_headers,
    );
}

/// An origin is allowed by itself, or by `http://*` or `https://*`.
fn is_allowed(allowed: &str, origin: &[u8]) -> bool {
    match allowed.strip_suffix("://*") {
        Some(scheme) => origin
            .strip_prefix(scheme.as_bytes())
            .is_some_and(|rest| rest.starts_with(b"://")),
        None => allowed.as_bytes() == origin,
    }
}

fn set_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let Some(value) = HeaderValue::try_from(values.join(","))
        .ok()
        .filter(|value| !value.is_empty())
    {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>
    #[test]
    fn an_origin_is_allowed_by_its_name_or_by_its_scheme() {
        for (allowed, origin, expected) in [
            ("https://app.example", "https://app.example", true),
            ("https://app.example", "https://app.example:8443", false),
            ("https://*", "https://app.example", true),
            ("https://*", "http://app.example", false),
            ("http://*", "http://localhost:3000", true),
            ("http://*", "https://localhost:3000", false),
        ] {
            assert_eq!(
                is_allowed(allowed, origin.as_bytes()),
                expected,
                "{allowed} {origin}"
            );
        }
    }
}
