//! Where the process has its credentials from: on Lambda they are in the environment, in a container on ECS they are not.

use aws_config::{
    SdkConfig, ecs::EcsCredentialsProvider, environment::EnvironmentVariableCredentialsProvider,
    meta::credentials::CredentialsProviderChain, provider_config::ProviderConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;

/// The configuration with credentials from the environment, where there are any, and else those of the task's role
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>).
pub(crate) fn of_a_container(config: &SdkConfig) -> SdkConfig {
    let mut provider_config = ProviderConfig::without_region();
    if let Some(client) = config.http_client() {
        provider_config = provider_config.with_http_client(client);
    }
    let of_the_role = EcsCredentialsProvider::builder()
        .configure(&provider_config)
        .build();
    let chain =
        CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
            .or_else("EcsContainer", of_the_role);
    config
        .to_builder()
        .credentials_provider(SharedCredentialsProvider::new(chain))
        .build()
}
