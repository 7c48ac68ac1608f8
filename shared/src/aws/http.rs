//! The HTTP client of all SDK clients: one connector, made at the first call, with one trust store and the connections
//! that it keeps.
//!
//! It is hyper's client, as the SDK's own is, with less around it: HTTP/1.1 alone, for the services that functions call
//! offer no other version, and no proxies. The SDK's makes a connector for each SDK client when that is made, only to
//! throw it away, and another at the first call.

use std::{error::Error, io, iter, sync::OnceLock, time::Duration};

use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        self, Client,
        connect::{CaptureConnection, HttpConnector as TcpConnector, HttpInfo, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::ClientConfig;

/// A client that makes its connector at the first call, with the time limit for connecting of that call; the functions
/// have the same for all.
pub fn http_client(tls: impl Fn() -> ClientConfig + Send + Sync + 'static) -> SharedHttpClient {
    let connector = OnceLock::new();
    http_client_fn(move |settings, _| {
        let make = || SharedHttpConnector::new(Connector::new(tls(), settings.connect_timeout()));
        connector.get_or_init(make).clone()
    })
}

/// Sends requests, over connections that are kept.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    client: Client<HttpsConnector<TcpConnector>, SdkBody>,
}

impl Connector {
    /// One that waits no longer than `connect_timeout` for each TCP connection.
    pub(crate) fn new(tls: ClientConfig, connect_timeout: Option<Duration>) -> Self {
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(connect_timeout);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(https);
        Self { client }
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || metadata(&connection));
        }
        let answer = self.client.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(connector_error)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// By this the SDK closes a connection over which an error came that another may not have.
fn metadata(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    let mut extensions = lambda_http::http::Extensions::new();
    connection
        .connection_metadata()
        .as_ref()?
        .get_extras(&mut extensions);
    let info = extensions.get::<HttpInfo>();
    let connection = connection.clone();
    let mut metadata = ConnectionMetadata::builder().proxied(false).poison_fn(move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    });
    metadata
        .set_local_addr(info.map(HttpInfo::local_addr))
        .set_remote_addr(info.map(HttpInfo::remote_addr));
    Some(metadata.build())
}

/// Whether the SDK may try again depends on it: it does where the connection failed.
fn connector_error(error: legacy::Error) -> ConnectorError {
    let failed = error.is_connect() || sources(&error).any(is_of_the_connection);
    if failed {
        ConnectorError::io(error.into())
    } else {
        ConnectorError::other(error.into(), None)
    }
}

fn is_of_the_connection(error: &(dyn Error + 'static)) -> bool {
    error.is::<io::Error>()
        || error
            .downcast_ref::<hyper::Error>()
            .is_some_and(|error| error.is_closed() || error.is_canceled() || error.is_incomplete_message())
}

/// What an error was caused by, and that by, and so on.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(error.source(), |&error| error.source())
}

#[cfg(test)]
mod tests {
    use rustls::crypto::ring;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::aws::Trust;

    fn connector() -> Connector {
        Connector::new(Trust::system().client_config(ring::default_provider()), None)
    }

    async fn listener() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        (listener, url)
    }

    fn get(url: &str) -> HttpRequest {
        HttpRequest::get(url).unwrap()
    }

    /// Reads a request, which fits into one packet.
    async fn request(stream: &mut TcpStream) {
        let read = stream.read(&mut [0; 1024]).await.unwrap();
        assert_ne!(read, 0, "there is no request");
    }

    async fn answer(stream: &mut TcpStream) {
        request(stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_reached_may_be_tried_again() {
        let (listener, url) = listener().await;
        drop(listener);
        let error = connector().call(get(&url)).await.unwrap_err();
        assert!(error.is_io(), "{error:?}");
    }

    #[tokio::test]
    async fn a_connection_that_ends_without_an_answer_may_be_tried_again() {
        let (listener, url) = listener().await;
        let hang_up = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            request(&mut stream).await;
        };
        let (error, ()) = tokio::join!(connector().call(get(&url)), hang_up);
        let error = error.unwrap_err();
        assert!(error.is_io(), "{error:?}");
    }

    #[tokio::test]
    async fn what_is_no_http_is_not_tried_again() {
        let (listener, url) = listener().await;
        let speak_otherwise = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            request(&mut stream).await;
            stream.write_all(b"220 mail.example.com\r\n").await.unwrap();
        };
        let (error, ()) = tokio::join!(connector().call(get(&url)), speak_otherwise);
        let error = error.unwrap_err();
        assert!(error.is_other(), "{error:?}");
    }

    #[tokio::test]
    async fn a_connection_is_kept_until_the_sdk_gives_it_up() {
        let (listener, url) = listener().await;
        let connector = connector();
        let capture = CaptureSmithyConnection::new();
        let mut second = get(&url);
        second.add_extension(capture.clone());
        let client = async {
            connector.call(get(&url)).await.unwrap();
            connector.call(second).await.unwrap();
            capture.get().unwrap().poison();
            connector.call(get(&url)).await.unwrap();
        };
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            answer(&mut stream).await;
            answer(&mut stream).await;
            let (mut stream, _) = listener.accept().await.unwrap();
            answer(&mut stream).await;
        };
        tokio::join!(client, server);
    }
}
