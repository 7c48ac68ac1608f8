//! What requests to DynamoDB need
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>).

use serde_json::Value;

use super::{Permission, arn, permission};
use crate::iam::{Account, Service};

/// What a request needs; nothing where the operation is not known: those of `PartiQL` and of streams are not.
pub(super) fn of_request(account: &Account, operation: &str, body: &Value) -> Option<Vec<Permission>> {
    let need = |action: &str, table: &str| permission(Service::DynamoDb, action, table_arn(account, table));
    Some(match operation {
        // AWS names the resource so, in several public recordings.
        "ListTables" => vec![need(operation, "*")],
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(table, _)| need(operation, table)).collect()
        }
        // <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
        "TransactGetItems" | "TransactWriteItems" => transaction(body)
            .map(|(action, table)| need(action, table))
            .collect(),
        "Query" | "Scan" => {
            let mut permissions: Vec<_> = table(body).map(|table| need(operation, table)).collect();
            if let (Some(first), Some(index)) = (permissions.first_mut(), body["IndexName"].as_str()) {
                first.resource = format!("{}/index/{index}", first.resource);
            }
            permissions
        }
        "CreateTable" | "DeleteItem" | "DeleteTable" | "DescribeTable" | "DescribeTimeToLive" | "GetItem"
        | "PutItem" | "UpdateItem" | "UpdateTable" | "UpdateTimeToLive" => {
            table(body).map(|table| need(operation, table)).collect()
        }
        _ => return None,
    })
}

fn table(body: &Value) -> impl Iterator<Item = &str> {
    body["TableName"].as_str().into_iter()
}

/// The actions of a transaction, and the tables that they are about.
fn transaction(body: &Value) -> impl Iterator<Item = (&'static str, &str)> {
    let items = body["TransactItems"].as_array().into_iter().flatten();
    let members = items.flat_map(|item| item.as_object().into_iter().flatten());
    members.filter_map(|(member, request)| {
        let action = match member.as_str() {
            "ConditionCheck" => "ConditionCheckItem",
            "Delete" => "DeleteItem",
            "Get" => "GetItem",
            "Put" => "PutItem",
            "Update" => "UpdateItem",
            _ => return None,
        };
        Some((action, request["TableName"].as_str()?))
    })
}

/// A request names a table, or gives its ARN.
fn table_arn(account: &Account, table: &str) -> String {
    if table.starts_with("arn:") {
        table.to_owned()
    } else {
        arn(Service::DynamoDb, account, &format!("table/{table}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{account, lines};
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table";

    fn needed(operation: &str, body: &Value) -> Option<Vec<String>> {
        lines(of_request(&account(), operation, body))
    }

    #[test]
    fn an_operation_on_a_table_needs_its_action_on_the_table() {
        for table in ["Tasks", &format!("{TABLE}/Tasks")] {
            for operation in ["PutItem", "GetItem", "UpdateItem", "DescribeTable", "Scan"] {
                let expected = format!("dynamodb:{operation} {TABLE}/Tasks");
                assert_eq!(
                    needed(operation, &json!({ "TableName": table })),
                    Some(vec![expected])
                );
            }
        }
        let all = format!("dynamodb:ListTables {TABLE}/*");
        assert_eq!(needed("ListTables", &json!({})), Some(vec![all]));
    }

    #[test]
    fn a_query_of_an_index_needs_the_index() {
        let body = json!({"TableName": "Tasks", "IndexName": "ByStatus"});
        let expected = format!("dynamodb:Query {TABLE}/Tasks/index/ByStatus");
        assert_eq!(needed("Query", &body), Some(vec![expected]));
    }

    #[test]
    fn a_batch_needs_its_own_action_on_each_table() {
        let body = json!({"RequestItems": {"A": [], "B": []}});
        let expected = ["A", "B"].map(|table| format!("dynamodb:BatchWriteItem {TABLE}/{table}"));
        assert_eq!(needed("BatchWriteItem", &body), Some(expected.to_vec()));
    }

    #[test]
    fn a_transaction_needs_the_action_of_each_item() {
        let body = json!({"TransactItems": [
            {"Put": {"TableName": "A"}},
            {"Update": {"TableName": "A"}},
            {"Delete": {"TableName": "B"}},
            {"ConditionCheck": {"TableName": "C"}},
        ]});
        let expected = [
            format!("dynamodb:PutItem {TABLE}/A"),
            format!("dynamodb:UpdateItem {TABLE}/A"),
            format!("dynamodb:DeleteItem {TABLE}/B"),
            format!("dynamodb:ConditionCheckItem {TABLE}/C"),
        ];
        assert_eq!(needed("TransactWriteItems", &body), Some(expected.to_vec()));
        let body = json!({"TransactItems": [{"Get": {"TableName": "A"}}]});
        let expected = format!("dynamodb:GetItem {TABLE}/A");
        assert_eq!(needed("TransactGetItems", &body), Some(vec![expected]));
    }

    #[test]
    fn what_names_no_table_needs_nothing_and_what_is_unknown_is_not_judged() {
        assert_eq!(needed("PutItem", &json!({})), Some(vec![]));
        assert_eq!(needed("PutItem", &Value::Null), Some(vec![]));
        assert_eq!(
            needed("ExecuteStatement", &json!({"Statement": "SELECT * FROM Tasks"})),
            None
        );
    }
}
