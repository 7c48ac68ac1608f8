//! The store on DynamoDB: one table, one item for each record and one for each idempotency key.
//!
//! A record is written only over the version that it was derived from
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>); a
//! refused write answers with what stands there, so that nobody has to read again. Expired items may linger for days
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>): an expired key counts as free.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError,
    },
    types::{AttributeValue, Delete, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    IdempotencyKey, Inserted, Replaced, Store, StoreError,
    attributes::{Item, from_item, to_item},
};
use crate::{Record, TaskId, Timestamp, record::RETENTION};

/// The partition key of the table.
const ID: &str = "id";

/// The condition under which a record may be added.
const NEW: &str = "attribute_not_exists(id)";

/// The condition under which a record may be written over or removed.
const UNCHANGED: &str = "version = :version";

/// The condition under which a key may be taken.
const FREE: &str = "attribute_not_exists(id) OR expires_at < :now";

/// How often a contended key is tried, before the client is told to come back.
const KEY_ATTEMPTS: u32 = 5;

/// Records in a DynamoDB table.
#[derive(Clone, Debug)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

/// The item that an idempotency key takes.
#[derive(Debug, Serialize, Deserialize)]
struct KeyItem {
    id: String,
    request: String,
    task_id: TaskId,
    expires_at: u64,
}

impl DynamoStore {
    /// The store in the table of that name. Its partition key is the string `id`; its time to live attribute is
    /// `expires_at`.
    pub fn new(config: &aws_config::SdkConfig, table: String) -> Self {
        Self {
            client: Client::new(config),
            table,
        }
    }

    /// Record and key in one transaction, so that neither exists without the other.
    async fn insert_with_key(&self, record: &Record, key: &IdempotencyKey) -> Result<Inserted, StoreError> {
        let key_item = KeyItem {
            id: key_id(key),
            request: key.request.clone(),
            task_id: record.id.clone(),
            // Before the record, whenever that ends: a key without its record would be of no use, and not free either.
            expires_at: (record.accepted_at + RETENTION).epoch_seconds(),
        };
        let take_key = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item_of(&key_item)?))
            .condition_expression(FREE)
            .expression_attribute_values(":now", number(Timestamp::now().epoch_seconds()))
            .build()
            .map_err(unavailable)?;
        let add_record = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item_of(record)?))
            .build()
            .map_err(unavailable)?;
        for _ in 0..KEY_ATTEMPTS {
            let written = self
                .client
                .transact_write_items()
                .transact_items(TransactWriteItem::builder().put(take_key.clone()).build())
                .transact_items(TransactWriteItem::builder().put(add_record.clone()).build())
                .send()
                .await;
            match written {
                Ok(_) => return Ok(Inserted::New),
                // Where nothing was inserted before, the key was given back in between: try to take it.
                Err(error) if is_contended(&error) => {
                    match self.inserted_before(key).await? {
                        // Here too a request may have been sent twice.
                        Some(Inserted::Before(before)) if before.id == record.id => return Ok(Inserted::New),
                        Some(before) => return Ok(before),
                        None => {}
                    }
                }
                Err(error) => return Err(unavailable(error)),
            }
        }
        Err(StoreError::Contended)
    }

    async fn inserted_before(&self, key: &IdempotencyKey) -> Result<Option<Inserted>, StoreError> {
        let Some(key_item) = self.read::<KeyItem>(&key_id(key)).await? else {
            return Ok(None);
        };
        if key_item.request != key.request {
            return Ok(Some(Inserted::OtherRequest));
        }
        Ok(self
            .get(&key_item.task_id)
            .await?
            .map(|record| Inserted::Before(Box::new(record))))
    }

    async fn read<T: serde::de::DeserializeOwned>(&self, id: &str) -> Result<Option<T>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(ID, text(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        answer
            .item
            .map(|item| Ok(serde_json::from_value(from_item(item))?))
            .transpose()
    }

    /// Record and key in one transaction, like their insertion.
    async fn remove_with_key(&self, record: &Record, key: &IdempotencyKey) -> Result<bool, StoreError> {
        let delete_record = Delete::builder()
            .table_name(&self.table)
            .key(ID, text(record.id.as_str()))
            .condition_expression(UNCHANGED)
            .expression_attribute_values(":version", number(record.version))
            .build()
            .map_err(unavailable)?;
        let delete_key = Delete::builder()
            .table_name(&self.table)
            .key(ID, text(&key_id(key)))
            .build()
            .map_err(unavailable)?;
        let removed = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().delete(delete_record).build())
            .transact_items(TransactWriteItem::builder().delete(delete_key).build())
            .send()
            .await;
        match removed {
            Ok(_) => Ok(true),
            Err(error) if is_contended(&error) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn insert(&self, record: &Record, key: Option<&IdempotencyKey>) -> Result<Inserted, StoreError> {
        if let Some(key) = key {
            return self.insert_with_key(record, key).await;
        }
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item_of(record)?))
            .condition_expression(NEW)
            .send()
            .await;
        match written.map_err(SdkError::into_service_error) {
            // The id is random: who is there already is this very record, sent twice, which a worker may have changed since.
            Ok(_) | Err(PutItemError::ConditionalCheckFailedException(_)) => Ok(Inserted::New),
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn get(&self, id: &TaskId) -> Result<Option<Record>, StoreError> {
        self.read(id.as_str()).await
    }

    async fn replace(&self, record: &Record) -> Result<Replaced, StoreError> {
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item_of(record)?))
            .condition_expression(UNCHANGED)
            .expression_attribute_values(":version", number(record.version - 1))
            .return_values_on_condition_check_failure(AllOld)
            .send()
            .await;
        match written.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(Replaced::Done),
            Err(PutItemError::ConditionalCheckFailedException(refusal)) => {
                let newer: Option<Box<Record>> = refusal
                    .item
                    .map(|item| serde_json::from_value(from_item(item)))
                    .transpose()?;
                // The SDK sends a write again whose answer was lost, and then meets itself.
                match newer {
                    Some(newer) if newer.change == record.change => Ok(Replaced::Done),
                    newer => Ok(Replaced::Conflict(newer)),
                }
            }
            Err(error) => Err(unavailable(error)),
        }
    }

    async fn remove(&self, record: &Record, key: Option<&IdempotencyKey>) -> Result<bool, StoreError> {
        if let Some(key) = key {
            return self.remove_with_key(record, key).await;
        }
        let removed = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key(ID, text(record.id.as_str()))
            .condition_expression(UNCHANGED)
            .expression_attribute_values(":version", number(record.version))
            .send()
            .await;
        match removed.map_err(SdkError::into_service_error) {
            Ok(_) => Ok(true),
            Err(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
            Err(error) => Err(unavailable(error)),
        }
    }
}

fn item_of(value: &impl Serialize) -> Result<Item, StoreError> {
    let object: Map<String, Value> = serde_json::from_value(serde_json::to_value(value)?)?;
    Ok(to_item(object))
}

/// Distinct from every task id, which is a UUID: no client can read a key as a task.
fn key_id(key: &IdempotencyKey) -> String {
    format!("key#{}", key.key)
}

/// A condition was not met, or another transaction on the same items came in between: nothing was written. A transaction is
/// cancelled for other reasons as well, a throttled table for one
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
fn is_contended(error: &SdkError<TransactWriteItemsError>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return false;
    };
    let codes = cancelled.cancellation_reasons().iter().filter_map(|it| it.code());
    codes
        .filter(|code| *code != "None")
        .all(|code| matches!(code, "ConditionalCheckFailed" | "TransactionConflict"))
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{CancellationReason, error::TransactionCanceledException};
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn cancelled(codes: [&str; 2]) -> SdkError<TransactWriteItemsError> {
        let reasons = codes.map(|code| CancellationReason::builder().code(code).build());
        let cancelled =
            TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons.into()));
        let error = TransactWriteItemsError::TransactionCanceledException(cancelled.build());
        SdkError::service_error(
            error,
            HttpResponse::new(400.try_into().unwrap(), SdkBody::empty()),
        )
    }

    #[test]
    fn a_transaction_that_is_cancelled_for_other_reasons_is_no_contention() {
        assert!(is_contended(&cancelled(["ConditionalCheckFailed", "None"])));
        assert!(is_contended(&cancelled(["None", "TransactionConflict"])));
        assert!(!is_contended(&cancelled(["ThrottlingError", "None"])));
        assert!(!is_contended(&cancelled([
            "ConditionalCheckFailed",
            "ThrottlingError"
        ])));
    }
}
