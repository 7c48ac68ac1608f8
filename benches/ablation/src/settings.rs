//! The SDK's configuration: the functions' own, or with what a feature changes of it.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use lambda_runtime::Error;
use shared::aws;

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
    if cfg!(feature = "sdk-client") {
        let client = Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(aws::tls_context()?);
        changed.set_http_client(Some(client.build_https()));
    }
    #[cfg(feature = "aws-lc")]
    changed.set_http_client(Some(aws::http_client(
        Provider::Rustls(CryptoMode::AwsLc),
        aws::tls_context()?,
    )));
    Ok(changed.build())
}

/// The configuration for a further client.
pub(crate) fn for_one_client(config: &SdkConfig) -> Result<SdkConfig, Error> {
    let mut changed = config.to_builder();
    if cfg!(feature = "client-each") {
        changed.set_http_client(Some(aws::http_client(
            Provider::Rustls(CryptoMode::Ring),
            aws::tls_context()?,
        )));
    }
    Ok(changed.build())
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
