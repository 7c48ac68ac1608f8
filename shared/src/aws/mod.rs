//! How the functions reach AWS: one SDK configuration, made for a quick start.
//!
//! On Lambda, Region and credentials always come from the environment
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>), so the SDK's search through profile
//! files, container and instance metadata is left out, and so is the system's trust store ([`trust`]). The SDK's own
//! `AWS_ENDPOINT_URL_*` variables are honoured: by them the local cloud takes AWS's place, and no code knows.

mod http;
mod trust;

use std::time::Duration;

use aws_config::{
    BehaviorVersion, SdkConfig,
    environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider},
    timeout::TimeoutConfig,
};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

pub use http::http_client;
pub use trust::{UnusableBundle, tls_context};

/// The configuration for every client of a function. The clients share one HTTP client and its connections.
///
/// # Errors
///
/// `AWS_CA_BUNDLE` names a file that cannot be read, or has no certificate in it.
pub async fn config() -> Result<SdkConfig, UnusableBundle> {
    let http_client = http_client(Provider::Rustls(CryptoMode::Ring), tls_context()?);
    // Every call is a short one. A store or a queue that hangs must not use up a request's 30 seconds.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(15))
        .build();
    let no_profiles = EnvConfigFiles::builder()
        .with_contents(EnvConfigFileKind::Config, "")
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(EnvironmentVariableRegionProvider::new())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .profile_files(no_profiles)
        .http_client(http_client)
        .timeout_config(timeouts)
        .load()
        .await;
    Ok(config)
}

/// A setting that the template passes to the function.
///
/// # Errors
///
/// The variable is not set; the error names it.
pub fn setting(name: &'static str) -> Result<String, MissingSetting> {
    std::env::var(name).map_err(|_| MissingSetting(name))
}

/// An environment variable that the function needs is not set.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set; the function's template sets it")]
pub struct MissingSetting(&'static str);
