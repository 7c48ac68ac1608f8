//! What requests to CloudWatch Logs need
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html>).

use serde_json::Value;

use super::{Permission, arn, permission};
use crate::{
    iam::{Account, Service},
    logs,
};

/// What a request needs; nothing where the operation is not known.
pub(super) fn of_request(account: &Account, operation: &str, body: &Value) -> Option<Vec<Permission>> {
    if operation != "FilterLogEvents" {
        return None;
    }
    // AWS names the resource so (github.com/prowler-cloud/prowler/pull/37).
    let resource = |group| arn(Service::Logs, account, &format!("log-group:{group}:log-stream:"));
    let group = logs::group_name(body).into_iter();
    Some(
        group
            .map(|group| permission(Service::Logs, operation, resource(group)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{account, lines};
    use super::*;

    #[test]
    fn a_search_needs_its_action_on_the_log_group() {
        let needed = |operation, body: Value| lines(of_request(&account(), operation, &body));
        let group = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f";
        for body in [
            json!({"logGroupName": "/aws/lambda/f"}),
            json!({"logGroupIdentifier": group}),
        ] {
            let expected = format!("logs:FilterLogEvents {group}:log-stream:");
            assert_eq!(needed("FilterLogEvents", body), Some(vec![expected]));
        }
        assert_eq!(needed("FilterLogEvents", json!({})), Some(Vec::new()));
        assert_eq!(needed("PutLogEvents", json!({"logGroupName": "g"})), None);
    }
}
