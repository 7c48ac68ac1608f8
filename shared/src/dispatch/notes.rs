//! A hand-over that only takes notes, for tests.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use lambda_runtime::Context;

use super::{Dispatch, DispatchError, TaskMessage};

/// Notes what is handed over. Clones share the notes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    pub(crate) handed_over: Arc<Mutex<Vec<TaskMessage>>>,
    pub(crate) fails: Arc<AtomicBool>,
}

#[async_trait]
impl Dispatch for Notes {
    async fn dispatch(&self, message: &TaskMessage, _invocation: &Context) -> Result<(), DispatchError> {
        self.handed_over.lock().unwrap().push(message.clone());
        if self.fails.load(Ordering::Relaxed) {
            Err(DispatchError::new("the queue is gone"))
        } else {
            Ok(())
        }
    }
}
