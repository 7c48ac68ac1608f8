//! What the model's task, its client, its deliveries and their workers are at between two steps.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash, Hasher};

use super::super::*;

/// It is always this time. A lease that lasts until later is held, one until now has lapsed.
pub(super) fn now() -> Timestamp {
    Timestamp::at(Duration::from_secs(1_000))
}

/// A record that can be a part of the model's state.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored(pub(super) Record);

impl Eq for Stored {}

impl Hash for Stored {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.0.version, self.0.attempts, self.0.continuations).hash(hasher);
        (self.0.handed_over, self.0.is_leased(now())).hash(hasher);
    }
}

/// What a process does next. A process that is not there any more has no next step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// The API: insert the record.
    Insert,
    /// The API: hand the new task over.
    HandOver(Stored),
    /// The API: take the record back.
    TakeBack(Stored),
    /// The API: a request was repeated; see what the first one left.
    Repeat,
    /// The worker, or who gives up: read the record.
    Read,
    /// The worker: write the claim.
    Claim(Stored),
    /// The worker: work.
    Work(Stored),
    /// The worker: write what the attempt came to.
    Conclude(Stored, End),
    /// Anybody: hand over a task, and go on as [`Step::Mark`].
    Send(Stored),
    /// Anybody: say in the record that it was handed over.
    Mark(Stored),
    /// Who gives up: write the end.
    GiveUp(Stored),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum End {
    Success,
    Failure,
    Continuation,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Message {
    pub(super) continuation: u32,
    /// Deliveries that are left. When there are none, the message goes to whoever gives up.
    pub(super) deliveries: u8,
    /// It is no message: the API runs the task within the request, and nobody delivers it again.
    pub(super) within_request: bool,
    pub(super) process: Option<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) stored: Option<Stored>,
    pub(super) api: Option<Step>,
    /// Whether the client was told that the task is accepted.
    pub(super) accepted: bool,
    pub(super) messages: Vec<Message>,
    /// Attempts that were recorded as successful.
    pub(super) successes: u8,
    /// Whether a record was changed that had ended.
    pub(super) changed_after_end: bool,
    pub(super) faults: u8,
    pub(super) duplicates: u8,
    pub(super) cancels: u8,
    pub(super) renewals: u8,
}

/// How a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum How {
    /// As it should.
    Well,
    /// The process dies before it.
    DeadBefore,
    /// It is done, but the process dies before it knows.
    DeadAfter,
    /// The platform says no to a hand-over.
    Refused,
    /// The platform says no, but it was a yes.
    RefusedFalsely,
}

impl State {
    pub(super) fn record(&self) -> Option<&Record> {
        self.stored.as_ref().map(|stored| &stored.0)
    }

    pub(super) fn status(&self) -> Option<Status> {
        self.record().map(|record| record.status)
    }

    pub(super) fn is_leased(&self) -> bool {
        self.record().is_some_and(|record| record.is_leased(now()))
    }

    /// Whether the worker lives that has the lease.
    pub(super) fn has_worker(&self) -> bool {
        let mut processes = self
            .messages
            .iter()
            .filter_map(|message| message.process.as_ref());
        processes.any(|process| match process {
            Step::Work(record) | Step::Conclude(record, _) => self
                .record()
                .is_some_and(|stored| record.0.is_same_attempt(stored)),
            _ => false,
        })
    }

    /// What the store does: it writes a record only over the version before it.
    pub(super) fn replace(&mut self, next: &Record) -> bool {
        let Some(stored) = &self.stored else { return false };
        if stored.0.version + 1 != next.version {
            return false;
        }
        self.changed_after_end |= stored.0.status.is_final();
        self.successes += u8::from(next.status == Status::Succeeded);
        self.stored = Some(settled(next.clone()));
        true
    }

    pub(super) fn send(&mut self, record: &Record) {
        self.messages.push(Message {
            continuation: record.continuations,
            deliveries: 2,
            within_request: false,
            process: None,
        });
    }

    pub(super) fn run_within_request(&mut self) {
        self.messages.push(Message {
            continuation: 0,
            deliveries: 1,
            within_request: true,
            process: Some(Step::Read),
        });
    }

    /// Nothing will happen any more, unless somebody makes it.
    pub(super) fn is_quiet(&self) -> bool {
        self.api.is_none() && self.messages.is_empty() && !self.is_leased()
    }
}

/// A record that differs from others only in what matters to the model.
pub(super) fn settled(mut record: Record) -> Stored {
    record.change = Uuid::nil();
    Stored(record)
}

pub(super) fn fingerprint(message: &Message) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(message)
}
