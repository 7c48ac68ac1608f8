//! What requests to CloudFormation need
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html>).

use super::{Permission, arn, permission};
use crate::{
    cloudformation::Query,
    iam::{Account, Service},
};

/// What a request needs; nothing where the action is not known.
pub(super) fn of_request(account: &Account, query: &Query) -> Option<Vec<Permission>> {
    let action = query.action();
    if action != "DescribeStacks" {
        return None;
    }
    let resource = match query.stack() {
        None => "*".to_owned(),
        Some(id) if id.starts_with("arn:") => id.to_owned(),
        // AWS names the resource so (github.com/serverless/serverless/issues/8509).
        Some(name) => arn(Service::CloudFormation, account, &format!("stack/{name}/*")),
    };
    Some(vec![permission(Service::CloudFormation, action, resource)])
}

#[cfg(test)]
mod tests {
    use super::super::{account, lines};
    use super::*;

    fn needed(form: &str) -> Option<Vec<String>> {
        lines(of_request(&account(), &Query::parse(form.as_bytes())))
    }

    #[test]
    fn a_stack_is_judged_by_its_name_or_its_id() {
        let id = "arn:aws:cloudformation:us-east-1:123456789012:stack/variant/8f5";
        for (form, resource) in [
            ("Action=DescribeStacks", "*"),
            (
                "Action=DescribeStacks&StackName=variant",
                "arn:aws:cloudformation:us-east-1:123456789012:stack/variant/*",
            ),
            (&format!("Action=DescribeStacks&StackName={id}"), id),
        ] {
            let expected = format!("cloudformation:DescribeStacks {resource}");
            assert_eq!(needed(form), Some(vec![expected]), "{form}");
        }
        assert_eq!(needed("Action=DeleteStack&StackName=variant"), None);
    }
}
