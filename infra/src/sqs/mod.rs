//! Amazon SQS, as the local cloud has it: the standard queues of one account in one Region, in memory. Here
//! is the service, that is the queues by their names; a queue is in `queue`, the JSON protocol in `protocol`
//! and `operations`. FIFO queues, permissions and encryption are not here.
//!
//! The service is described in
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html>.

mod attributes;
mod digest;
mod error;
mod message;
mod operations;
mod protocol;
mod queue;
mod receipt_handle;
mod redrive_policy;
mod validation;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

pub use self::{
    attributes::QueueAttributes,
    error::{ErrorCode, SqsError},
    message::{
        AttributeValue, Message, MessageAttribute, MessageAttributes, NewMessage, ReceivedMessage, SENDER_ID,
        SYSTEM_ATTRIBUTE_NAMES, SentMessage,
    },
    protocol::throttled,
    queue::{MessageCounts, Queue},
    redrive_policy::RedrivePolicy,
    validation::MAXIMUM_MESSAGE_SIZE,
};
pub(crate) use validation::is_message_character;

/// The service. A clone is the same service.
#[derive(Debug, Clone)]
pub struct Sqs {
    account: Arc<Account>,
}

/// The queues of an account in a Region, and how they are addressed.
#[derive(Debug)]
pub(crate) struct Account {
    region: String,
    id: String,
    endpoint_url: String,
    queues: RwLock<BTreeMap<String, Arc<Queue>>>,
}

impl Sqs {
    /// A service without queues. The URL of a queue is `{endpoint_url}/{account_id}/{name}`.
    pub fn new(region: &str, account_id: &str, endpoint_url: &str) -> Self {
        let account = Account {
            region: region.to_owned(),
            id: account_id.to_owned(),
            endpoint_url: endpoint_url.trim_end_matches('/').to_owned(),
            queues: RwLock::default(),
        };
        Self {
            account: Arc::new(account),
        }
    }

    /// Creates a queue, or returns the one of this name if every attribute set in `attributes` has the same
    /// value there.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>
    ///
    /// # Errors
    /// [`ErrorCode::QueueNameExists`] if an attribute differs, [`ErrorCode::InvalidParameterValue`] for a
    /// name that a standard queue cannot have or a dead-letter queue that does not exist.
    pub fn create_queue(&self, name: &str, attributes: QueueAttributes) -> Result<Arc<Queue>, SqsError> {
        self.create_tagged_queue(name, attributes, BTreeMap::new())
    }

    fn create_tagged_queue(
        &self,
        name: &str,
        attributes: QueueAttributes,
        tags: BTreeMap<String, String>,
    ) -> Result<Arc<Queue>, SqsError> {
        check_queue_name(name)?;
        self.account.check_dead_letter_queue(&attributes)?;
        // The lock is released before the existing queue's own is taken: nobody ever holds both.
        let existing = match self.account.queues_mut().entry(name.to_owned()) {
            Entry::Occupied(entry) => Arc::clone(entry.get()),
            Entry::Vacant(entry) => {
                let queue = Queue::new(&self.account, name, attributes, tags);
                return Ok(Arc::clone(entry.insert(Arc::new(queue))));
            }
        };
        match attributes.first_difference(&existing.attributes()) {
            None => Ok(existing),
            Some(attribute) => {
                let message = format!(
                    "A queue already exists with the same name and a different value for attribute {attribute}"
                );
                Err(SqsError::new(ErrorCode::QueueNameExists, message))
            }
        }
    }

    /// The queue of that name.
    pub fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        self.account.queue(name)
    }

    /// The queue of that Amazon Resource Name.
    pub fn queue_by_arn(&self, arn: &str) -> Option<Arc<Queue>> {
        self.account.queue_by_arn(arn)
    }

    /// The queue of that URL. The host is not looked at, because one endpoint has several: `localhost` and
    /// `127.0.0.1`.
    pub fn queue_by_url(&self, url: &str) -> Option<Arc<Queue>> {
        let (address, name) = url.rsplit_once('/')?;
        let (_, account_id) = address.rsplit_once('/')?;
        if account_id == self.account.id {
            self.queue(name)
        } else {
            None
        }
    }

    /// All queues, sorted by name.
    pub fn queues(&self) -> Vec<Arc<Queue>> {
        self.account.queues().values().cloned().collect()
    }

    /// Deletes a queue with its messages.
    ///
    /// # Errors
    /// [`ErrorCode::QueueDoesNotExist`].
    pub fn delete_queue(&self, name: &str) -> Result<(), SqsError> {
        let queue = self
            .account
            .queues_mut()
            .remove(name)
            .ok_or_else(SqsError::no_such_queue)?;
        queue.shut();
        Ok(())
    }
}

impl Account {
    fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        self.queues().get(name).cloned()
    }

    fn queue_by_arn(&self, arn: &str) -> Option<Arc<Queue>> {
        let queue = self.queue(arn.rsplit(':').next()?)?;
        (queue.arn() == arn).then_some(queue)
    }

    fn queue_url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.endpoint_url, self.id)
    }

    fn queue_arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:{}:{}:{name}", self.region, self.id)
    }

    /// Checks that the dead-letter queue of a redrive policy exists.
    fn check_dead_letter_queue(&self, attributes: &QueueAttributes) -> Result<(), SqsError> {
        match attributes.redrive_policy() {
            Some(policy) if self.queue_by_arn(&policy.dead_letter_target_arn).is_none() => {
                let reason = "Dead letter target does not exist.";
                Err(SqsError::invalid_parameter(
                    "RedrivePolicy",
                    policy.to_json(),
                    reason,
                ))
            }
            _ => Ok(()),
        }
    }

    fn queues(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<Queue>>> {
        self.queues.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn queues_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<Queue>>> {
        self.queues.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The rule is in
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>.
fn check_queue_name(name: &str) -> Result<(), SqsError> {
    if name.is_empty() {
        let message = "Value for parameter QueueName is invalid. Reason: Must specify a queue name.";
        return Err(SqsError::new(ErrorCode::InvalidParameterValue, message));
    }
    if name.strip_suffix(".fifo").is_some() {
        return Err(SqsError::fifo_not_supported());
    }
    if name.len() > 80
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(SqsError::new(ErrorCode::InvalidParameterValue, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> Sqs {
        Sqs::new("eu-west-1", "000000000000", "http://127.0.0.1:9000/")
    }

    fn attributes<const N: usize>(attributes: [(&str, &str); N]) -> QueueAttributes {
        QueueAttributes::parse(attributes).unwrap()
    }

    #[test]
    fn a_queue_is_found_by_name_arn_and_url() {
        let sqs = service();
        let queue = sqs.create_queue("tasks", QueueAttributes::default()).unwrap();
        assert_eq!(queue.url(), "http://127.0.0.1:9000/000000000000/tasks");
        assert_eq!(queue.arn(), "arn:aws:sqs:eu-west-1:000000000000:tasks");
        for found in [
            sqs.queue("tasks"),
            sqs.queue_by_arn(queue.arn()),
            sqs.queue_by_url(queue.url()),
            sqs.queue_by_url("http://localhost:1/000000000000/tasks"),
        ] {
            assert!(Arc::ptr_eq(&found.unwrap(), &queue));
        }
        assert!(
            sqs.queue_by_arn("arn:aws:sqs:us-east-1:000000000000:tasks")
                .is_none()
        );
        assert!(
            sqs.queue_by_url("http://127.0.0.1:9000/111111111111/tasks")
                .is_none()
        );
        assert!(sqs.queue_by_url("tasks").is_none());
    }

    #[test]
    fn creating_a_queue_again_returns_it_unless_an_attribute_differs() {
        let sqs = service();
        let queue = sqs
            .create_queue("tasks", attributes([("DelaySeconds", "5")]))
            .unwrap();
        for same in [
            QueueAttributes::default(),
            attributes([("DelaySeconds", "5"), ("VisibilityTimeout", "30")]),
        ] {
            assert!(Arc::ptr_eq(&sqs.create_queue("tasks", same).unwrap(), &queue));
        }
        let error = sqs
            .create_queue("tasks", attributes([("DelaySeconds", "6")]))
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::QueueNameExists);
        assert!(error.message().ends_with("DelaySeconds"));
    }

    #[test]
    fn names_of_other_characters_too_long_or_of_fifo_queues_are_refused() {
        let sqs = service();
        for name in ["", "a b", "a.b", "ä", "tasks.fifo", &"n".repeat(81)] {
            let error = sqs.create_queue(name, QueueAttributes::default()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidParameterValue, "{name}");
        }
        assert!(
            sqs.create_queue(&"n".repeat(80), QueueAttributes::default())
                .is_ok()
        );
    }

    #[test]
    fn a_dead_letter_queue_has_to_exist() {
        let sqs = service();
        let policy =
            r#"{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":"3"}"#;
        let redrive = || attributes([("RedrivePolicy", policy)]);
        let error = sqs.create_queue("tasks", redrive()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidParameterValue);

        sqs.create_queue("dead", QueueAttributes::default()).unwrap();
        let queue = sqs.create_queue("tasks", redrive()).unwrap();
        assert_eq!(queue.attributes().redrive_policy().unwrap().max_receive_count, 3);
    }

    #[test]
    fn a_deleted_queue_is_gone_for_those_who_still_hold_it() {
        let sqs = service();
        let queue = sqs.create_queue("tasks", QueueAttributes::default()).unwrap();
        sqs.delete_queue("tasks").unwrap();
        assert!(sqs.queue("tasks").is_none());
        assert_eq!(
            queue.send(NewMessage::new("late")).unwrap_err().code(),
            ErrorCode::QueueDoesNotExist
        );
        assert_eq!(
            sqs.delete_queue("tasks").unwrap_err().code(),
            ErrorCode::QueueDoesNotExist
        );
    }
}
