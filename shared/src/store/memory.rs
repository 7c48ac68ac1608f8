//! A store that lives as long as the process, for unit tests.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{IdempotencyKey, Inserted, Replaced, Store, StoreError};
use crate::{Record, TaskId};

/// Records in memory, under the same rules as in DynamoDB. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
}

#[derive(Debug, Default)]
struct Tables {
    records: HashMap<TaskId, Record>,
    keys: HashMap<String, (IdempotencyKey, TaskId)>,
}

impl MemoryStore {
    fn tables(&self) -> MutexGuard<'_, Tables> {
        // A panic elsewhere leaves whole records behind: each change is one assignment.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn insert(&self, record: &Record, key: Option<&IdempotencyKey>) -> Result<Inserted, StoreError> {
        let mut tables = self.tables();
        if let Some(key) = key {
            if let Some((used, id)) = tables.keys.get(&key.key) {
                if used.request != key.request {
                    return Ok(Inserted::OtherRequest);
                }
                if let Some(record) = tables.records.get(id) {
                    return Ok(Inserted::Before(Box::new(record.clone())));
                }
            }
            tables
                .keys
                .insert(key.key.clone(), (key.clone(), record.id.clone()));
        }
        tables.records.insert(record.id.clone(), record.clone());
        Ok(Inserted::New)
    }

    async fn get(&self, id: &TaskId) -> Result<Option<Record>, StoreError> {
        Ok(self.tables().records.get(id).cloned())
    }

    async fn replace(&self, record: &Record) -> Result<Replaced, StoreError> {
        let mut tables = self.tables();
        match tables.records.get_mut(&record.id) {
            Some(stored) if stored.version + 1 == record.version => {
                *stored = record.clone();
                Ok(Replaced::Done)
            }
            other => Ok(Replaced::Conflict(other.map(|stored| Box::new(stored.clone())))),
        }
    }

    async fn remove(&self, record: &Record, key: Option<&IdempotencyKey>) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        if tables
            .records
            .get(&record.id)
            .is_none_or(|stored| stored.version != record.version)
        {
            return Ok(false);
        }
        tables.records.remove(&record.id);
        if let Some(key) = key {
            tables.keys.remove(&key.key);
        }
        Ok(true)
    }
}
