//! The state machine of a queue: which messages it holds and which of them are visible, in flight or delayed.
//! It is synchronous and is told the time; waiting, locking and other queues are not its affair.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;
use uuid::Uuid;

use super::super::{
    attributes::QueueAttributes,
    error::{ErrorCode, SqsError},
    message::{Message, ReceivedMessage},
    receipt_handle::ReceiptHandle,
    validation,
};
use super::messages::{Held, Messages, Place};

/// How many messages of a queue can be in flight: about 120,000, here exactly.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html>
pub(super) const MAXIMUM_IN_FLIGHT: usize = 120_000;

/// How long a queue refuses to be purged again.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html>
const PURGE_INTERVAL: Duration = Duration::from_mins(1);

/// One moment, on the clock that timeouts run by and on the one that people read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// The moment on the monotonic clock, which tests can pause.
    pub(super) instant: Instant,
    /// The moment in milliseconds since the epoch.
    pub(super) epoch_millis: i64,
}

impl Now {
    /// Reads both clocks.
    pub(super) fn read() -> Self {
        Self {
            instant: Instant::now(),
            epoch_millis: jiff::Timestamp::now().as_millisecond(),
        }
    }
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageCounts {
    /// Those that a receive would return.
    pub visible: usize,
    /// Those that were received and neither deleted nor made visible again.
    pub in_flight: usize,
    /// Those whose delay has not passed.
    pub delayed: usize,
}

/// What one look at the queue brought.
#[derive(Debug, Default)]
pub(super) struct Receptions {
    /// The messages, now in flight.
    pub(super) received: Vec<ReceivedMessage>,
    /// The messages that had been received too often: the queue no longer holds them.
    pub(super) dead_letters: Vec<Held>,
    /// When another message becomes visible if nothing happens before.
    pub(super) next_visible: Option<Instant>,
    /// Whether messages had to stay where they are because too many are in flight.
    pub(super) over_limit: bool,
}

/// What a receive asks for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    /// How many messages at most.
    pub(super) max: usize,
    /// How long they are hidden; by default as long as the queue's attributes say.
    pub(super) visibility: Option<Duration>,
    /// After how many receives a message is a dead letter; none where dead letters have no queue to go to.
    pub(super) max_receive_count: Option<u64>,
}

/// A queue's messages, attributes and tags.
#[derive(Debug)]
pub(super) struct State {
    /// What receipt handles are told apart by from those of other queues.
    id: Uuid,
    pub(super) attributes: QueueAttributes,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) last_modified_millis: i64,
    pub(super) deleted: bool,
    messages: Messages,
    purged: Option<Instant>,
}

impl State {
    pub(super) fn new(attributes: QueueAttributes, tags: BTreeMap<String, String>, now: Now) -> Self {
        Self {
            id: Uuid::new_v4(),
            attributes,
            tags,
            last_modified_millis: now.epoch_millis,
            deleted: false,
            messages: Messages::default(),
            purged: None,
        }
    }

    /// Takes in a message that was sent just now.
    pub(super) fn send(&mut self, message: Arc<Message>, delay: Duration, now: Now) {
        self.messages.insert(Held {
            message,
            sent: now.instant,
            place: if delay.is_zero() {
                Place::Visible
            } else {
                Place::Delayed
            },
            visible_from: now.instant + delay,
            received: now.instant,
            receive_count: 0,
            receives_here: 0,
            first_receive_timestamp: 0,
            is_copy: false,
            dead_letter_source_arn: None,
        });
    }

    /// Takes in a message that another queue gave up on. It keeps its id, its age and its receive count.
    pub(super) fn accept_dead_letter(&mut self, letter: Held, source_arn: Arc<str>, now: Now) {
        self.messages.insert(Held {
            place: Place::Visible,
            visible_from: now.instant,
            receives_here: 0,
            dead_letter_source_arn: Some(source_arn),
            ..letter
        });
    }

    /// Takes up to `request.max` messages in flight.
    pub(super) fn receive(&mut self, request: Request, now: Now) -> Receptions {
        self.settle(now);
        let visibility = request
            .visibility
            .unwrap_or_else(|| self.attributes.visibility_timeout());
        let mut receptions = Receptions::default();
        while receptions.received.len() < request.max
            && let Some(number) = self.messages.first(Place::Visible)
        {
            let exhausted = |held: &Held| {
                request
                    .max_receive_count
                    .is_some_and(|max| held.receives_here >= max)
            };
            if self.messages.get(number).is_some_and(exhausted) {
                receptions.dead_letters.extend(self.messages.remove(number));
            } else if self.messages.count(Place::InFlight) >= MAXIMUM_IN_FLIGHT {
                receptions.over_limit = true;
                break;
            } else {
                receptions
                    .received
                    .extend(self.start_flight(number, visibility, now));
            }
        }
        receptions.next_visible = self.messages.next_visible();
        receptions
    }

    /// Deletes a message by the handle of its latest receive. A handle from before does nothing and is no
    /// error, as
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html> says.
    /// Answers whether that made room for another message in flight.
    pub(super) fn delete(&mut self, receipt_handle: &str, now: Now) -> Result<bool, SqsError> {
        let handle = ReceiptHandle::decode(receipt_handle, self.id)?;
        self.settle(now);
        let was_full = self.messages.count(Place::InFlight) >= MAXIMUM_IN_FLIGHT;
        if self
            .messages
            .get(handle.message)
            .is_some_and(|held| held.receive_count == handle.receive)
        {
            self.messages.remove(handle.message);
        }
        Ok(was_full && self.messages.count(Place::InFlight) < MAXIMUM_IN_FLIGHT)
    }

    /// Takes in a copy of the message that this handle is about to delete. It becomes visible `delay` from now and
    /// counts its receives on; handles from before are not good for it. Answers whether there is one: of a copy
    /// there is no other.
    pub(super) fn keep_copy(
        &mut self,
        receipt_handle: &str,
        delay: Duration,
        now: Now,
    ) -> Result<bool, SqsError> {
        let handle = ReceiptHandle::decode(receipt_handle, self.id)?;
        self.settle(now);
        let original = self
            .messages
            .get(handle.message)
            .filter(|held| held.receive_count == handle.receive && !held.is_copy);
        let Some(original) = original else {
            return Ok(false);
        };
        self.messages.insert(Held {
            place: Place::Delayed,
            visible_from: now.instant + delay,
            is_copy: true,
            ..original.clone()
        });
        Ok(true)
    }

    /// Lets a message in flight become visible `timeout` from now.
    pub(super) fn change_visibility(
        &mut self,
        receipt_handle: &str,
        timeout: Duration,
        now: Now,
    ) -> Result<(), SqsError> {
        let handle = ReceiptHandle::decode(receipt_handle, self.id)?;
        validation::check_visibility_timeout(timeout)?;
        self.settle(now);
        let held = self
            .messages
            .get(handle.message)
            .filter(|held| held.receive_count == handle.receive);
        let Some(held) = held else {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            return Err(SqsError::invalid_parameter(
                "ReceiptHandle",
                receipt_handle,
                reason,
            ));
        };
        if held.place != Place::InFlight {
            let message = "The message is not in flight: its visibility timeout has expired.";
            return Err(SqsError::new(ErrorCode::MessageNotInflight, message));
        }
        validation::check_total_visibility_timeout(now.instant - held.received, timeout)?;
        self.messages
            .relocate(handle.message, Place::InFlight, now.instant + timeout);
        Ok(())
    }

    /// Deletes all messages.
    pub(super) fn purge(&mut self, queue: &str, now: Now) -> Result<(), SqsError> {
        if self
            .purged
            .is_some_and(|purged| now.instant < purged + PURGE_INTERVAL)
        {
            let message = format!("Only one PurgeQueue operation on {queue} is allowed every 60 seconds.");
            return Err(SqsError::new(ErrorCode::PurgeQueueInProgress, message));
        }
        self.purged = Some(now.instant);
        self.clear();
        Ok(())
    }

    /// Forgets all messages.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
    }

    /// Takes out the visible messages for which `wanted` holds, the one that became visible first in front.
    pub(super) fn take_visible(&mut self, wanted: impl Fn(&Held) -> bool, now: Now) -> Vec<Held> {
        self.settle(now);
        let numbers = self.messages.numbers(Place::Visible);
        let numbers: Vec<u64> = numbers
            .filter(|number| self.messages.get(*number).is_some_and(&wanted))
            .collect();
        numbers
            .into_iter()
            .filter_map(|number| self.messages.remove(number))
            .collect()
    }

    /// How many messages are visible, in flight and delayed.
    pub(super) fn counts(&mut self, now: Now) -> MessageCounts {
        self.settle(now);
        MessageCounts {
            visible: self.messages.count(Place::Visible),
            in_flight: self.messages.count(Place::InFlight),
            delayed: self.messages.count(Place::Delayed),
        }
    }

    /// Does what the passing of time does.
    fn settle(&mut self, now: Now) {
        let retention = self.attributes.message_retention_period();
        self.messages.settle(retention, now.instant);
    }

    fn start_flight(&mut self, number: u64, visibility: Duration, now: Now) -> Option<ReceivedMessage> {
        self.messages
            .relocate(number, Place::InFlight, now.instant + visibility);
        let held = self.messages.get_mut(number)?;
        held.received = now.instant;
        held.receive_count += 1;
        held.receives_here += 1;
        if held.receive_count == 1 {
            held.first_receive_timestamp = now.epoch_millis;
        }
        let handle = ReceiptHandle {
            message: number,
            receive: held.receive_count,
        };
        Some(ReceivedMessage {
            message: Arc::clone(&held.message),
            receipt_handle: handle.encode(self.id),
            receive_count: held.receive_count,
            first_receive_timestamp: held.first_receive_timestamp,
            dead_letter_source_arn: held.dead_letter_source_arn.clone(),
        })
    }
}
