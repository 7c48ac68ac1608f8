//! No Lambda at all: the same interface, served by one process that is always there, behind a load balancer that waits as
//! long as it is told to. A task is a future in the process.
//!
//! So a task dies with the process, and nobody delivers it again: its record stays `queued` or `running`, until it
//! expires. A new process takes up nothing.

mod credentials;

use std::{convert::Infallible, net::Ipv4Addr, sync::Arc, time::Duration};

use baselines_with_tasks::{in_process, invocation_of, time_for_a_task};
use http_body_util::{BodyExt as _, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use lambda_http::{
    Body, Error, RequestExt as _,
    http::{Request, Response, StatusCode},
};
use shared::{Api, Worker, aws, logging};
use tokio::net::{TcpListener, TcpStream};
use tracing::warn;

/// Where the load balancer looks whether the process is well. It is no part of the interface.
const HEALTH: &str = "/health";

/// The largest body that is read, in bytes: what API Gateway takes before the others
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>). The interface refuses much
/// smaller ones, with a reason; an answer before the end of a body is one that its sender may never see.
const LARGEST_BODY: usize = 10 * 1024 * 1024;

/// What every connection needs.
struct Server {
    api: Api,
    time_for_a_task: Duration,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    logging::start();
    let config = credentials::of_a_container(&aws::config().await?);
    let time_for_a_task = time_for_a_task()?;
    let (hand_over, accepted) = in_process();
    let worker = Worker::on_aws(&config, hand_over)?;
    tokio::spawn(accepted.run(worker.clone(), time_for_a_task));
    let server = Arc::new(Server {
        api: Api::new(worker),
        time_for_a_task,
    });
    let port = aws::setting("PORT")?.parse()?;
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
    serve(&listener, &server).await
}

async fn serve(listener: &TcpListener, server: &Arc<Server>) -> Result<(), Error> {
    loop {
        let (connection, _) = listener.accept().await?;
        // Answers are short, and somebody waits for each. Where this fails, they come a little later.
        let _ = connection.set_nodelay(true);
        tokio::spawn(serve_connection(connection, Arc::clone(server)));
    }
}

async fn serve_connection(connection: TcpStream, server: Arc<Server>) {
    let service = service_fn(|request| server.answer(request));
    if let Err(error) = http1::Builder::new()
        .serve_connection(TokioIo::new(connection), service)
        .await
    {
        warn!(%error, "a connection broke");
    }
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        if request.uri().path() == HEALTH {
            return Ok(Response::new(Body::Empty));
        }
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
            return Ok(status(StatusCode::PAYLOAD_TOO_LARGE));
        };
        let path = parts.uri.path().to_owned();
        let body = Body::Binary(body.to_bytes().into());
        let request = Request::from_parts(parts, body)
            .with_raw_http_path(path)
            .with_lambda_context(invocation_of(self.time_for_a_task));
        self.api.handle(request).await
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}
