//! The HTTP client of all SDK clients: one connector, with one trust store and the connections that it keeps.
//!
//! The SDK's own client makes a connector for each SDK client when that is made, only to throw it away, and another at the
//! first call.

use std::sync::OnceLock;

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext},
};
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector, http_client_fn};

/// A client that makes its connector at the first call, with the time limits of that call; the functions have the same
/// for all.
pub fn http_client(provider: Provider, context: TlsContext) -> SharedHttpClient {
    let connector = OnceLock::new();
    http_client_fn(move |settings, components| {
        let make = || {
            let mut builder = Connector::builder()
                .tls_provider(provider.clone())
                .tls_context(context.clone())
                .connector_settings(settings.clone());
            builder.set_sleep_impl(components.sleep_impl());
            SharedHttpConnector::new(builder.build())
        };
        connector.get_or_init(make).clone()
    })
}
