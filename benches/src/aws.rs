//! How AWS's APIs are reached: at a local cloud, with the keys that it printed, or wherever the environment says, as
//! any SDK or the AWS CLI would take it (<https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>).

use std::fs;

use anyhow::{Context, Result, ensure};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

use crate::deployment::Endpoints;

/// An account in a Region, and keys for it.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// The one at these endpoints.
    ///
    /// # Errors
    /// Fails when the certificate authority that they name cannot be read.
    pub fn at(endpoints: &Endpoints) -> Result<Self> {
        let mut trusted = TrustStore::default();
        if let Some(path) = &endpoints.ca_certificate {
            let authority = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            trusted.add_pem_certificate(authority);
        }
        let credentials = Credentials::new(
            &endpoints.access_key_id,
            &endpoints.secret_access_key,
            None,
            None,
            "the deployment",
        );
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(endpoints.region.clone()))
            .endpoint_url(&endpoints.endpoint_url)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client(trusted)?)
            .build();
        Ok(Self { config })
    }

    /// The one that the environment names: profile or keys, Region, and `AWS_ENDPOINT_URL` if it is set.
    ///
    /// # Errors
    /// Fails when it names no Region.
    pub async fn of_environment() -> Result<Self> {
        let loader =
            aws_config::defaults(BehaviorVersion::latest()).http_client(http_client(TrustStore::default())?);
        let config = loader.load().await;
        ensure!(
            config.region().is_some(),
            "there is no Region: set AWS_REGION, or AWS_PROFILE to a profile that has one"
        );
        Ok(Self { config })
    }

    /// What clients of its services are made from.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// What it is called in a report. Another endpoint than AWS's own is named.
    pub fn name(&self) -> String {
        match (self.config.endpoint_url(), self.config.region()) {
            (Some(url), _) => format!("the AWS APIs at {url}"),
            (None, Some(region)) => format!("AWS, {region}"),
            (None, None) => "AWS".to_owned(),
        }
    }
}

fn http_client(trusted: TrustStore) -> Result<SharedHttpClient> {
    Ok(aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(TlsContext::builder().with_trust_store(trusted).build()?)
        .build_https())
}

/// The SDK's errors say why only in their sources.
pub(crate) fn readable<E: std::error::Error>(error: E) -> anyhow::Error {
    anyhow::Error::msg(DisplayErrorContext(error).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_endpoint_than_that_of_aws_is_named() {
        let endpoints = Endpoints {
            api_url: "http://127.0.0.1:1".into(),
            endpoint_url: "http://127.0.0.1:2".into(),
            ca_certificate: None,
            region: "eu-central-1".into(),
            access_key_id: "key".into(),
            secret_access_key: "secret".into(),
        };
        assert_eq!(
            Aws::at(&endpoints).unwrap().name(),
            "the AWS APIs at http://127.0.0.1:2"
        );
        let config = SdkConfig::builder().region(Region::new("eu-central-1")).build();
        assert_eq!(Aws { config }.name(), "AWS, eu-central-1");
    }
}
