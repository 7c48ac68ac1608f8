//! An Application Load Balancer, as far as the local cloud has it: forwards every request to the one target there is, and
//! waits for its answer as long as the idle timeout allows
//! (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html>).
//!
//! What it answers itself, and when, is in
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html>; the pages
//! are as clients see them, which is not documented.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header, uri::PathAndQuery},
};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::timeout,
};

use crate::gateway::OF_THE_CONNECTION;

/// A client of targets, which keeps its connections.
pub(crate) type Client = legacy::Client<HttpConnector, Body>;

/// What all requests need.
#[derive(Debug)]
struct LoadBalancer {
    client: Client,
    target: watch::Receiver<Option<SocketAddr>>,
    work: mpsc::UnboundedSender<()>,
    idle_timeout: Duration,
    port: u16,
}

/// A client of targets.
pub(crate) fn client() -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    legacy::Client::builder(TokioExecutor::new()).build(connector)
}

/// Whether a target answers with 200 at that path
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>).
pub(crate) async fn is_healthy(client: &Client, target: SocketAddr, path: &str) -> bool {
    let Ok(uri) = format!("http://{target}{path}").parse() else {
        return false;
    };
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    request.headers_mut().insert(
        header::USER_AGENT,
        HeaderValue::from_static("ELB-HealthChecker/2.0"),
    );
    let response = client.request(request).await;
    response.is_ok_and(|response| response.status() == StatusCode::OK)
}

/// Serves on `listener`, for ever. There is a target while `target` has an address. `work` is told of each request that
/// asks the target for more than an answer.
///
/// # Errors
///
/// The listener failed.
pub async fn serve(
    listener: TcpListener,
    target: watch::Receiver<Option<SocketAddr>>,
    work: mpsc::UnboundedSender<()>,
    idle_timeout: Duration,
) -> std::io::Result<()> {
    let balancer = Arc::new(LoadBalancer {
        client: client(),
        target,
        work,
        idle_timeout,
        port: listener.local_addr()?.port(),
    });
    let router = Router::new().fallback(answer).with_state(balancer);
    axum::serve(
        listener,
        router.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .await
}

async fn answer(
    State(balancer): State<Arc<LoadBalancer>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let target = *balancer.target.borrow();
    let Some(target) = target else {
        return page(
            StatusCode::SERVICE_UNAVAILABLE,
            "503 Service Temporarily Unavailable",
        );
    };
    if !request.method().is_safe() {
        // Whether anybody wants to know is nothing to the request.
        let _ = balancer.work.send(());
    }
    let forwarded = balancer.forwarded(request, client, target);
    match timeout(balancer.idle_timeout, balancer.client.request(forwarded)).await {
        Ok(Ok(response)) => {
            let mut response = response.map(Body::new);
            remove_of_the_connection(response.headers_mut());
            response
        }
        // The target refused the connection, or closed it without an answer.
        Ok(Err(_)) => page(StatusCode::BAD_GATEWAY, "502 Bad Gateway"),
        Err(_) => page(StatusCode::GATEWAY_TIMEOUT, "504 Gateway Time-out"),
    }
}

impl LoadBalancer {
    /// The request as its target gets it
    /// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html>).
    fn forwarded(&self, request: Request, client: SocketAddr, target: SocketAddr) -> Request {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        // An address makes an authority, and what was a path before is one again.
        let uri = Uri::builder().scheme("http").authority(target.to_string());
        parts.uri = uri.path_and_query(path).build().unwrap_or_default();
        let headers = &mut parts.headers;
        remove_of_the_connection(headers);
        headers.insert("x-forwarded-port", HeaderValue::from(self.port));
        headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
        let before = headers
            .get("x-forwarded-for")
            .and_then(|value| value.to_str().ok());
        let client = client.ip();
        let through = before.map_or_else(|| client.to_string(), |before| format!("{before}, {client}"));
        if let Ok(through) = HeaderValue::try_from(through) {
            headers.insert("x-forwarded-for", through);
        }
        Request::from_parts(parts, body)
    }
}

fn remove_of_the_connection(headers: &mut HeaderMap) {
    for name in &OF_THE_CONNECTION {
        headers.remove(name);
    }
}

fn page(status: StatusCode, title: &str) -> Response<Body> {
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n\
         </html>\r\n"
    );
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    headers.insert(header::SERVER, HeaderValue::from_static("awselb/2.0"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html>
    #[tokio::test]
    async fn a_target_learns_from_where_a_request_comes() {
        let (_healthy, target) = watch::channel(None);
        let (work, _work) = mpsc::unbounded_channel();
        let balancer = LoadBalancer {
            client: client(),
            target,
            work,
            idle_timeout: Duration::from_secs(1),
            port: 3000,
        };
        let request = Request::builder()
            .uri("/tasks?a=b")
            .header("x-forwarded-for", "10.0.0.1")
            .header("connection", "close")
            .body(Body::empty())
            .unwrap();
        let (client, target) = ("127.0.0.1:5".parse().unwrap(), "127.0.0.1:8080".parse().unwrap());
        let forwarded = balancer.forwarded(request, client, target);
        assert_eq!(forwarded.uri(), "http://127.0.0.1:8080/tasks?a=b");
        let headers = forwarded.headers();
        assert_eq!(headers["x-forwarded-for"], "10.0.0.1, 127.0.0.1");
        assert_eq!(headers["x-forwarded-port"], "3000");
        assert!(!headers.contains_key("connection"));
    }
}
