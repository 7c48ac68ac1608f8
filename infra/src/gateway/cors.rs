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

/// Says on a response that pages of `origin` may read it, if they may.
pub(super) fn allow(cors: &CorsConfiguration, origin: &HeaderValue, headers: &mut HeaderMap) {
    let any = cors.allow_origins.iter().any(|allowed| allowed == "*");
    if !any
        && !cors
            .allow_origins
            .iter()
            .any(|allowed| allowed.as_bytes() == origin.as_bytes())
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

fn set_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if let Some(value) = HeaderValue::try_from(values.join(","))
        .ok()
        .filter(|value| !value.is_empty())
    {
        headers.insert(name, value);
    }
}
