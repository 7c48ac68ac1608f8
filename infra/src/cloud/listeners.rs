//! The local cloud's sockets and their addresses, which it, the template and the functions refer to.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::net::TcpListener;

use super::Options;
use crate::tls::Tls;

/// The variables by which SDKs find the AWS endpoint
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
const ENDPOINTS: [&str; 3] = [
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_DYNAMODB",
];

/// The variable that names the file of certificate authorities to trust
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>).
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The sockets, bound before the template is read, because it refers to their addresses.
pub(super) struct Listeners {
    pub(super) api: TcpListener,
    pub(super) cloud: TcpListener,
    pub(super) dynamodb: TcpListener,
    pub(super) tls: Option<Tls>,
    pub(super) api_url: String,
    pub(super) endpoint_url: String,
}

impl Listeners {
    pub(super) async fn bind(options: &Options) -> anyhow::Result<Self> {
        let (api, api_address) = bind(options.api_port, "--api-port").await?;
        let (cloud, cloud_address) = bind(options.cloud_port, "--cloud-port").await?;
        let (dynamodb, _) = bind(0, "DynamoDB").await?;
        let tls = options.tls.then(Tls::new).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        Ok(Self {
            api,
            cloud,
            dynamodb,
            tls,
            api_url: format!("http://{api_address}"),
            endpoint_url: format!("{scheme}://{cloud_address}"),
        })
    }

    /// The variables by which SDKs reach the AWS endpoint.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let endpoints = ENDPOINTS.map(|name| (name, self.endpoint_url.clone()));
        let authority = self.tls.as_ref().map(|tls| tls.authority().display().to_string());
        endpoints
            .into_iter()
            .chain(authority.map(|path| (CA_BUNDLE, path)))
            .collect()
    }
}

async fn bind(port: u16, what: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("{what}: cannot listen on port {port}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
