//! One queue, as the rest of the local cloud uses it: send, receive, delete, change visibility. Here are the
//! lock around the state machine in `state`, the waiting of long polls, and the way of dead letters to their
//! queue.

mod messages;
mod state;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Line, Notify},
    time::{sleep_until, timeout},
};

pub use self::state::MessageCounts;
use self::state::{Now, Receptions, Request, State};
use super::{
    Account,
    attributes::QueueAttributes,
    error::{ErrorCode, SqsError},
    message::{Message, NewMessage, ReceivedMessage, SentMessage},
    validation,
};

/// A standard queue.
///
/// Long polls stand in a line, and only the first in the line watches the queue: it sleeps until a message
/// comes or becomes visible, takes what it may and makes way for the next one, who looks for itself. So
/// nobody is passed over and no arrival wakes more than one; and since what is taken is returned at once, a
/// receive that is dropped while it waits has taken nothing.
#[derive(Debug)]
pub struct Queue {
    name: String,
    url: String,
    arn: Arc<str>,
    created_millis: i64,
    /// Where the dead-letter queue is looked up; weak, because the account holds the queue.
    account: Weak<Account>,
    state: Mutex<State>,
    /// Where long polls stand in line, first come, first served.
    line: Line<()>,
    /// What the first in the line waits for.
    change: Notify,
}

impl Queue {
    pub(super) fn new(
        account: &Arc<Account>,
        name: &str,
        attributes: QueueAttributes,
        tags: BTreeMap<String, String>,
    ) -> Self {
        let now = Now::read();
        Self {
            name: name.to_owned(),
            url: account.queue_url(name),
            arn: account.queue_arn(name).into(),
            created_millis: now.epoch_millis,
            account: Arc::downgrade(account),
            state: Mutex::new(State::new(attributes, tags, now)),
            line: Line::new(()),
            change: Notify::new(),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL that requests name the queue by.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The Amazon Resource Name.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// The attributes that are in force.
    pub fn attributes(&self) -> QueueAttributes {
        self.state().attributes.clone()
    }

    /// How many messages the queue holds.
    pub fn counts(&self) -> MessageCounts {
        self.state().counts(Now::read())
    }

    /// Sends a message.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
    ///
    /// # Errors
    /// [`ErrorCode::InvalidMessageContents`] for a character that no message can hold,
    /// [`ErrorCode::MissingParameter`] for an empty body, [`ErrorCode::InvalidParameterValue`] for a message
    /// that is too large, a delay out of range or a message attribute that is not as it has to be,
    /// [`ErrorCode::QueueDoesNotExist`] once the queue is deleted.
    pub fn send(&self, message: NewMessage) -> Result<SentMessage, SqsError> {
        let (maximum_size, queue_delay) = {
            let state = self.live_state()?;
            (state.attributes.maximum_message_size(), state.attributes.delay())
        };
        validation::check_message(&message, maximum_size)?;
        let delay = message.delay.unwrap_or(queue_delay);
        let now = Now::read();
        let message = Message::new(message, now.epoch_millis);
        let receipt = message.receipt();
        self.live_state()?.send(Arc::new(message), delay, now);
        self.change.notify_one();
        Ok(receipt)
    }

    /// Receives up to `max` messages, hidden from others for `visibility` or else for the queue's visibility
    /// timeout. Where there is none it waits for one, `wait` at most; with a `wait` of zero it is a short
    /// poll. Dropping the future is safe: while it waits it holds no message.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>
    ///
    /// # Errors
    /// [`ErrorCode::QueueDoesNotExist`] once the queue is deleted. [`ErrorCode::OverLimit`] where too many
    /// messages are in flight, which only a short poll reports
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>).
    /// [`ErrorCode::InvalidParameterValue`] for a `visibility` of more than 12 hours.
    pub async fn receive(
        &self,
        max: usize,
        wait: Duration,
        visibility: Option<Duration>,
    ) -> Result<Vec<ReceivedMessage>, SqsError> {
        visibility.map_or(Ok(()), validation::check_visibility_timeout)?;
        if !wait.is_zero() {
            let received = timeout(wait, self.receive_in_turn(max, visibility)).await;
            return received.unwrap_or_else(|_elapsed| Ok(Vec::new()));
        }
        let receptions = self.take(max, visibility)?;
        if receptions.over_limit && receptions.received.is_empty() {
            return Err(SqsError::new(
                ErrorCode::OverLimit,
                "Too many messages of the queue are in flight.",
            ));
        }
        Ok(receptions.received)
    }

    /// Waits for this receive's turn, and then for a message.
    async fn receive_in_turn(
        &self,
        max: usize,
        visibility: Option<Duration>,
    ) -> Result<Vec<ReceivedMessage>, SqsError> {
        let _turn = self.line.lock().await;
        loop {
            let receptions = self.take(max, visibility)?;
            if !receptions.received.is_empty() {
                return Ok(receptions.received);
            }
            // A change between the look at the queue and here is not lost: the notification is kept.
            match receptions.next_visible {
                None => self.change.notified().await,
                Some(moment) => tokio::select! {
                    () = self.change.notified() => {}
                    () = sleep_until(moment) => {}
                },
            }
        }
    }

    /// Takes what can be received at once, and moves what has been received too often to the dead-letter
    /// queue.
    fn take(&self, max: usize, visibility: Option<Duration>) -> Result<Receptions, SqsError> {
        let policy = self.live_state()?.attributes.redrive_policy().cloned();
        let dead_letter_queue = policy.as_ref().and_then(|policy| {
            self.account
                .upgrade()?
                .queue_by_arn(&policy.dead_letter_target_arn)
        });
        // Without the dead-letter queue a message stays where it is: better received once more than lost.
        let max_receive_count = policy
            .filter(|_| dead_letter_queue.is_some())
            .map(|policy| policy.max_receive_count);
        let request = Request {
            max,
            visibility,
            max_receive_count,
        };
        let mut receptions = self.live_state()?.receive(request, Now::read());
        if let Some(dead_letter_queue) = dead_letter_queue {
            for letter in receptions.dead_letters.drain(..) {
                dead_letter_queue
                    .state()
                    .accept_dead_letter(letter, Arc::clone(&self.arn), Now::read());
                dead_letter_queue.change.notify_one();
            }
        }
        Ok(receptions)
    }

    /// Deletes the message that a receive handed out. If it was received again since, or deleted, nothing
    /// happens.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html>
    ///
    /// # Errors
    /// [`ErrorCode::ReceiptHandleIsInvalid`] for what is not a receipt handle of this queue,
    /// [`ErrorCode::QueueDoesNotExist`] once the queue is deleted.
    pub fn delete(&self, receipt_handle: &str) -> Result<(), SqsError> {
        if self.live_state()?.delete(receipt_handle, Now::read())? {
            self.change.notify_one();
        }
        Ok(())
    }

    /// Lets a copy of a message survive that is about to be deleted by this handle: the same message, received once more
    /// `delay` from now. SQS keeps copies on several servers, and one that is away cannot delete its own. Answers
    /// whether a copy survives: of a copy that did, none does.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html>
    ///
    /// # Errors
    /// As [`Queue::delete`].
    pub fn keep_copy(&self, receipt_handle: &str, delay: Duration) -> Result<bool, SqsError> {
        let is_kept = self.live_state()?.keep_copy(receipt_handle, delay, Now::read())?;
        self.change.notify_one();
        Ok(is_kept)
    }

    /// Lets a message that is in flight become visible `timeout` from now, at once if that is zero.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>
    ///
    /// # Errors
    /// [`ErrorCode::MessageNotInflight`] once the visibility timeout has expired,
    /// [`ErrorCode::InvalidParameterValue`] if the message is gone or was received again since, or if the
    /// timeout would hide it for more than 12 hours altogether, [`ErrorCode::ReceiptHandleIsInvalid`] for
    /// what is not a receipt handle of this queue, [`ErrorCode::QueueDoesNotExist`] once the queue is
    /// deleted.
    pub fn change_visibility(&self, receipt_handle: &str, timeout: Duration) -> Result<(), SqsError> {
        self.live_state()?
            .change_visibility(receipt_handle, timeout, Now::read())?;
        self.change.notify_one();
        Ok(())
    }

    /// Changes attributes, for everything that happens from now on.
    ///
    /// # Errors
    /// As [`QueueAttributes::parse`], and [`ErrorCode::InvalidParameterValue`] if the dead-letter queue does
    /// not exist.
    pub fn set_attributes<'a>(
        &self,
        changes: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), SqsError> {
        let changes: Vec<_> = changes.into_iter().collect();
        let set = QueueAttributes::parse(changes.iter().copied())?;
        if let Some(account) = self.account.upgrade() {
            account.check_dead_letter_queue(&set)?;
        }
        let mut state = self.live_state()?;
        let mut attributes = state.attributes.clone();
        for (name, value) in changes {
            attributes.set(name, value)?;
        }
        state.attributes = attributes;
        state.last_modified_millis = Now::read().epoch_millis;
        Ok(())
    }

    /// Deletes all messages, those in flight too.
    pub(super) fn purge(&self) -> Result<(), SqsError> {
        self.live_state()?.purge(&self.name, Now::read())
    }

    /// Ends the queue: whoever waits for a message learns that it does not exist.
    pub(super) fn shut(&self) {
        let mut state = self.state();
        state.deleted = true;
        state.clear();
        self.change.notify_one();
    }

    /// Sends every visible dead letter anew, to the queue that `destination` names for the ARN of the queue
    /// that it came from. A message for which there is none stays. Messages redriven are new ones, with
    /// another id:
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>
    pub(super) fn redrive<'a>(&self, destination: impl Fn(Option<&str>) -> Option<&'a Self>) {
        let now = Now::read();
        let source = |letter: &messages::Held| destination(letter.dead_letter_source_arn.as_deref());
        let letters = self.state().take_visible(|letter| source(letter).is_some(), now);
        for letter in letters {
            if let Some(queue) = source(&letter) {
                let message = letter.message.sent_anew(now.epoch_millis);
                queue.state().send(Arc::new(message), Duration::ZERO, now);
                queue.change.notify_one();
            }
        }
    }

    /// The tags.
    pub(super) fn tags(&self) -> BTreeMap<String, String> {
        self.state().tags.clone()
    }

    /// Changes the tags.
    pub(super) fn change_tags(&self, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        change(&mut self.state().tags);
    }

    /// When the queue was created and when its attributes changed last, in seconds since the epoch.
    pub(super) fn timestamps(&self) -> (i64, i64) {
        (
            self.created_millis / 1_000,
            self.state().last_modified_millis / 1_000,
        )
    }

    /// The state of a queue that has not been deleted.
    fn live_state(&self) -> Result<MutexGuard<'_, State>, SqsError> {
        let state = self.state();
        if state.deleted {
            Err(SqsError::no_such_queue())
        } else {
            Ok(state)
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock; were it to happen, the other requests would still be
        // served.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
