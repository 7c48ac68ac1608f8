//! Where records are kept. [`DynamoStore`] is the real one; [`MemoryStore`] serves unit tests.

mod attributes;
mod dynamodb;
mod memory;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Record, TaskId};

pub use dynamodb::DynamoStore;
pub use memory::MemoryStore;

/// Keeps records, and lets nobody change one on the ground of an old version of it.
#[async_trait]
pub trait Store: Send + Sync {
    /// Adds a new record; with a key, only if the key is not in use.
    ///
    /// # Errors
    ///
    /// The store did not answer.
    async fn insert(&self, record: &Record, key: Option<&IdempotencyKey>) -> Result<Inserted, StoreError>;

    /// The newest version of a record.
    ///
    /// # Errors
    ///
    /// The store did not answer.
    async fn get(&self, id: &TaskId) -> Result<Option<Record>, StoreError>;

    /// Writes `record` over the version before it.
    ///
    /// # Errors
    ///
    /// The store did not answer; the record may or may not have been written.
    async fn replace(&self, record: &Record) -> Result<Replaced, StoreError>;

    /// Removes the record, and its key, unless it was changed since this version of it. Answers whether it did.
    ///
    /// # Errors
    ///
    /// The store did not answer.
    async fn remove(&self, record: &Record, key: Option<&IdempotencyKey>) -> Result<bool, StoreError>;
}

/// A key under which a client may send the same request again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyKey {
    /// SHA-256 of the key that the client chose.
    pub key: String,
    /// SHA-256 of the request that came with it.
    pub request: String,
}

/// What became of an insertion.
#[derive(Clone, Debug, PartialEq)]
pub enum Inserted {
    /// The record is stored.
    New,
    /// The key was used before, with the same request: this is the record that it made.
    Before(Box<Record>),
    /// The key was used before, with another request.
    OtherRequest,
}

/// What became of a replacement.
#[derive(Clone, Debug, PartialEq)]
pub enum Replaced {
    /// The record is stored.
    Done,
    /// Somebody else was first; this is what they wrote, or nothing if they removed the record.
    Conflict(Option<Box<Record>>),
}

/// The store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or refused.
    #[error("the task store is unavailable: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Others use the same idempotency key at the same time.
    #[error("the idempotency key is in use by other requests right now")]
    Contended,
    /// It holds something that is not a record.
    #[error("the task store holds an unreadable record: {0}")]
    Unreadable(#[from] serde_json::Error),
}
