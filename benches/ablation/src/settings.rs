//! The SDK's configuration: the functions' own, or with what a feature changes of it.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::config::SharedHttpClient;
use lambda_runtime::Error;
use rustls::crypto::CryptoProvider;
use shared::aws::{self, Trust};

/// The configuration of the function.
pub(crate) async fn config() -> Result<SdkConfig, Error> {
    let config = aws::config().await?;
    let mut changed = config.to_builder();
    if cfg!(feature = "default-chain") {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(timeouts) = config.timeout_config() {
            loader = loader.timeout_config(timeouts.clone());
        }
        if let Some(http_client) = config.http_client() {
            loader = loader.http_client(http_client);
        }
        return Ok(loader.load().await);
    }
    #[cfg(feature = "sdk-client")]
    changed.set_http_client(Some(sdk_client()?));
    if cfg!(feature = "aws-lc") {
        changed.set_http_client(Some(own_client()?));
    }
    Ok(changed.build())
}

/// The configuration for a further client.
pub(crate) fn for_one_client(config: &SdkConfig) -> Result<SdkConfig, Error> {
    let mut changed = config.to_builder();
    if cfg!(feature = "client-each") {
        changed.set_http_client(Some(own_client()?));
    }
    Ok(changed.build())
}

/// One more of the functions' HTTP client.
fn own_client() -> Result<SharedHttpClient, Error> {
    let trust = Trust::of_environment()?;
    Ok(aws::http_client(move || trust.client_config(provider())))
}

fn provider() -> CryptoProvider {
    #[cfg(feature = "aws-lc")]
    return rustls::crypto::aws_lc_rs::default_provider();
    #[cfg(not(feature = "aws-lc"))]
    rustls::crypto::ring::default_provider()
}

/// The SDK's own HTTP client, which trusts what the function's does.
#[cfg(feature = "sdk-client")]
fn sdk_client() -> Result<SharedHttpClient, Error> {
    use aws_smithy_http_client::{
        Builder,
        tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
    };

    let mut trusted = TrustStore::empty()
        .with_pem_certificate(include_str!("../../../shared/src/aws/amazon-trust-services.pem"));
    if let Ok(bundle) = aws::setting("AWS_CA_BUNDLE") {
        trusted.add_pem_certificate(std::fs::read(bundle)?);
    }
    Ok(Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(TlsContext::builder().with_trust_store(trusted).build()?)
        .build_https())
}

/// Opens the connections that the first request needs: by a read of what is not there, and a call that is only checked.
/// Whether they succeed does not matter.
#[cfg(feature = "warm-up")]
pub(crate) async fn warm_up(config: &SdkConfig) {
    let dynamodb = aws_sdk_dynamodb::Client::new(config);
    let table = aws::setting("TABLE_NAME").unwrap_or_default();
    let nothing = aws_sdk_dynamodb::types::AttributeValue::S("-".to_owned());
    let _ = dynamodb
        .get_item()
        .table_name(table)
        .key("id", nothing)
        .send()
        .await;
}
