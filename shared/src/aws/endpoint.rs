//! Where the services are, when not at AWS: the variables `AWS_ENDPOINT_URL_<SERVICE>` and `AWS_ENDPOINT_URL`
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).

use std::env;

use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

/// Answers the SDK what the environment says of a service, or else of all of them; nobody asks for profile files.
#[derive(Debug)]
pub(super) struct ServiceVariables;

impl LoadServiceConfig for ServiceVariables {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let of_the_service = env::var(name(key.env(), key.service_id()));
        of_the_service.or_else(|_| env::var(key.env())).ok()
    }
}

/// The name of a variable for one service, which the SDK names as in "Application Auto Scaling".
fn name(variable: &str, service_id: &str) -> String {
    let service = service_id.to_uppercase().replace(' ', "_");
    format!("{variable}_{service}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the page above lists them.
    #[test]
    fn variables_of_services_have_the_names_that_aws_gives_them() {
        for (service_id, expected) in [
            ("DynamoDB", "AWS_ENDPOINT_URL_DYNAMODB"),
            ("SQS", "AWS_ENDPOINT_URL_SQS"),
            (
                "Application Auto Scaling",
                "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING",
            ),
        ] {
            assert_eq!(name("AWS_ENDPOINT_URL", service_id), expected);
        }
    }
}
