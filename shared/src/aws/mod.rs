//! How the functions reach AWS: one SDK configuration, made for a quick start.
//!
//! On Lambda, Region and credentials always come from the environment
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>). The SDK's loader would also look through
//! profile files, container and instance metadata; although switched off there, the code that does is a fifth of a
//! function's binary. So the configuration is put together here, and of the SDK's own variables
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html>) these are honoured:
//! `AWS_ENDPOINT_URL_*`, by which the local cloud takes AWS's place, and no code knows; `AWS_USE_FIPS_ENDPOINT` and
//! `AWS_USE_DUALSTACK_ENDPOINT`.

mod endpoint;
mod http;
mod trust;

use std::{env, time::Duration};

use aws_config::{
    BehaviorVersion, SdkConfig,
    environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider},
    meta::region::ProvideRegion as _,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use rustls::crypto::ring;

use endpoint::ServiceVariables;

pub(crate) use http::Connector;
pub use http::http_client;
pub use trust::{Trust, UnusableBundle};

/// The configuration for every client of a function. The clients share one HTTP client and its connections.
///
/// # Errors
///
/// `AWS_CA_BUNDLE` names a file that cannot be read, or that has no certificates in it.
pub async fn config() -> Result<SdkConfig, UnusableBundle> {
    let trust = Trust::of_environment()?;
    // Every call is a short one. A store or a queue that hangs must not use up a request's 30 seconds.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(5))
        .operation_timeout(Duration::from_secs(15))
        .build();
    let credentials = EnvironmentVariableCredentialsProvider::new();
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(EnvironmentVariableRegionProvider::new().region().await)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .use_fips(is_set("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_set("AWS_USE_DUALSTACK_ENDPOINT"))
        .service_config(ServiceVariables)
        .http_client(http_client(move || trust.client_config(ring::default_provider())))
        .timeout_config(timeouts)
        .build())
}

fn is_set(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| value.eq_ignore_ascii_case("true"))
}

/// A setting that the template passes to the function.
///
/// # Errors
///
/// The variable is not set; the error names it.
pub fn setting(name: &'static str) -> Result<String, MissingSetting> {
    env::var(name).map_err(|_| MissingSetting(name))
}

/// An environment variable that the function needs is not set.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set; the function's template sets it")]
pub struct MissingSetting(&'static str);
