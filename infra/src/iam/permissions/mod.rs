//! Which permissions a request needs: actions, and the ARNs of the resources that they are about
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>).

mod cloudformation;
mod dynamodb;
mod lambda;
mod logs;
mod sqs;

use axum::http::request::Parts;
use serde_json::Value;

use super::{Account, Service};
use crate::cloudformation::Query;

/// An action on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permission {
    /// Such as `sqs:SendMessage`.
    pub(super) action: String,
    /// The resource's ARN.
    pub(super) resource: String,
}

/// What a request needs. A request that does not say what it is about needs nothing: its service refuses it. Where the
/// operation is not known here, the error is its name.
pub(super) fn of_request(
    service: Service,
    account: &Account,
    request: &Parts,
    body: &[u8],
) -> Result<Vec<Permission>, String> {
    if service == Service::Lambda {
        return lambda::of_request(account, &request.method, &request.uri);
    }
    if service == Service::CloudFormation {
        let query = Query::parse(body);
        let permissions = cloudformation::of_request(account, &query);
        return permissions.ok_or_else(|| format!("{}:{}", service.name(), query.action()));
    }
    let target = request.headers.get("x-amz-target");
    let target = target.and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.split_once('.').map_or(target, |(_, operation)| operation);
    // What is no JSON is refused by the service.
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let permissions = match service {
        Service::Sqs => sqs::of_request(account, operation, &body),
        Service::Logs => logs::of_request(account, operation, &body),
        _ => dynamodb::of_request(account, operation, &body),
    };
    permissions.ok_or_else(|| format!("{}:{operation}", service.name()))
}

fn permission(service: Service, action: &str, resource: String) -> Permission {
    Permission {
        action: format!("{}:{action}", service.name()),
        resource,
    }
}

/// The ARN of something that an account has in a Region.
fn arn(service: Service, account: &Account, resource: &str) -> String {
    format!(
        "arn:aws:{}:{}:{}:{resource}",
        service.name(),
        account.region,
        account.id
    )
}

/// The account of the unit tests.
#[cfg(test)]
fn account() -> Account {
    Account {
        id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
    }
}

/// Permissions in one line each, as the unit tests compare them.
#[cfg(test)]
fn lines(permissions: Option<Vec<Permission>>) -> Option<Vec<String>> {
    let line = |permission: Permission| format!("{} {}", permission.action, permission.resource);
    permissions.map(|permissions| permissions.into_iter().map(line).collect())
}
