//! What requests to SQS need
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html>).

use serde_json::Value;

use super::{Permission, arn, permission};
use crate::iam::{Account, Service};

/// What a request needs; nothing where the operation is not known.
pub(super) fn of_request(account: &Account, operation: &str, body: &Value) -> Option<Vec<Permission>> {
    let queue = || queue_arn(account, body["QueueUrl"].as_str());
    let named = || {
        body["QueueName"]
            .as_str()
            .map(|name| arn(Service::Sqs, account, name))
    };
    let (action, resource) = match operation {
        // AWS names the resource so (hackingthe.cloud/aws/enumeration/whoami).
        "ListQueues" => (operation, Some(arn(Service::Sqs, account, ""))),
        "CreateQueue" | "GetQueueUrl" => (operation, named()),
        // A batch needs what a single request needs: the names of batches are no actions
        // (github.com/aws/serverless-application-model/issues/3633).
        "ChangeMessageVisibilityBatch" | "DeleteMessageBatch" | "SendMessageBatch" => {
            (operation.trim_end_matches("Batch"), queue())
        }
        "ChangeMessageVisibility"
        | "DeleteMessage"
        | "DeleteQueue"
        | "GetQueueAttributes"
        | "ListDeadLetterSourceQueues"
        | "ListQueueTags"
        | "PurgeQueue"
        | "ReceiveMessage"
        | "SendMessage"
        | "SetQueueAttributes"
        | "TagQueue"
        | "UntagQueue" => (operation, queue()),
        _ => return None,
    };
    let Some(resource) = resource else {
        return Some(Vec::new());
    };
    let mut permissions = vec![permission(Service::Sqs, action, resource.clone())];
    // <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>, "tags"
    if operation == "CreateQueue" && body["tags"].as_object().is_some_and(|tags| !tags.is_empty()) {
        permissions.push(permission(Service::Sqs, "TagQueue", resource));
    }
    Some(permissions)
}

/// A queue's URL ends in its account and its name.
fn queue_arn(account: &Account, url: Option<&str>) -> Option<String> {
    let (address, name) = url?.rsplit_once('/')?;
    let (_, id) = address.rsplit_once('/')?;
    let owner = Account {
        id: id.to_owned(),
        region: account.region.clone(),
    };
    Some(arn(Service::Sqs, &owner, name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{account, lines};
    use super::*;

    fn needed(operation: &str, body: &Value) -> Option<Vec<String>> {
        lines(of_request(&account(), operation, body))
    }

    #[test]
    fn each_operation_needs_its_action_and_a_batch_the_single_one() {
        let url = json!({"QueueUrl": "http://127.0.0.1:9000/123456789012/tasks"});
        for (operation, action) in [
            ("SendMessage", "sqs:SendMessage"),
            ("SendMessageBatch", "sqs:SendMessage"),
            ("DeleteMessageBatch", "sqs:DeleteMessage"),
            ("ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility"),
            ("ReceiveMessage", "sqs:ReceiveMessage"),
        ] {
            let expected = format!("{action} arn:aws:sqs:us-east-1:123456789012:tasks");
            assert_eq!(needed(operation, &url), Some(vec![expected]));
        }
    }

    #[test]
    fn a_queue_is_found_by_its_name_where_it_has_no_url_yet() {
        let tags = json!({"QueueName": "new", "tags": {"a": "b"}});
        let arn = "arn:aws:sqs:us-east-1:123456789012:new";
        assert_eq!(
            needed("GetQueueUrl", &tags),
            Some(vec![format!("sqs:GetQueueUrl {arn}")])
        );
        assert_eq!(
            needed("CreateQueue", &tags),
            Some(vec![
                format!("sqs:CreateQueue {arn}"),
                format!("sqs:TagQueue {arn}")
            ])
        );
        assert_eq!(
            needed("ListQueues", &json!({})),
            Some(vec![
                "sqs:ListQueues arn:aws:sqs:us-east-1:123456789012:".to_owned()
            ])
        );
    }

    #[test]
    fn what_names_no_queue_needs_nothing_and_what_is_unknown_is_not_judged() {
        assert_eq!(needed("SendMessage", &json!({})), Some(vec![]));
        assert_eq!(needed("SendMessage", &json!({"QueueUrl": "tasks"})), Some(vec![]));
        assert_eq!(needed("StartMessageMoveTask", &json!({})), None);
    }
}
