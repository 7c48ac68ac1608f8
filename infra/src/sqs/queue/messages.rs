//! The messages of a queue, each in one place of its life, and in the order of the moments that matter there. What moves
//! them from place to place is the affair of [`super::state`].

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use super::super::message::Message;

/// Where in its life a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Visible,
    InFlight,
    Delayed,
}

/// A message's number, behind the moment that puts it in order.
type Slot = (Instant, u64);

/// A message with what happened to it so far.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) message: Arc<Message>,
    /// When it was sent. A dead-letter queue keeps a message by the time at which it was sent to its first
    /// queue.
    pub(super) sent: Instant,
    pub(super) place: Place,
    /// When it became visible or, while it is in flight or delayed, will become visible.
    pub(super) visible_from: Instant,
    pub(super) received: Instant,
    pub(super) receive_count: u64,
    /// The receives since it came to this queue, which the redrive policy goes by.
    pub(super) receives_here: u64,
    pub(super) first_receive_timestamp: i64,
    /// Whether it survived its deletion.
    pub(super) is_copy: bool,
    pub(super) dead_letter_source_arn: Option<Arc<str>>,
}

/// All messages.
#[derive(Debug, Default)]
pub(super) struct Messages {
    held: HashMap<u64, Held>,
    visible: BTreeSet<Slot>,
    in_flight: BTreeSet<Slot>,
    delayed: BTreeSet<Slot>,
    /// All of them, the one sent first in front.
    by_age: BTreeSet<Slot>,
    next_number: u64,
}

impl Messages {
    /// Drops messages past their retention period and makes those visible whose delay or visibility timeout is over.
    pub(super) fn settle(&mut self, retention: Duration, now: Instant) {
        while let Some((_, number)) = self
            .by_age
            .first()
            .copied()
            .filter(|(sent, _)| *sent + retention <= now)
        {
            self.remove(number);
        }
        for place in [Place::InFlight, Place::Delayed] {
            while let Some((due, number)) = self.slots(place).first().copied().filter(|(due, _)| *due <= now)
            {
                self.relocate(number, Place::Visible, due);
            }
        }
    }

    /// Takes one in.
    pub(super) fn insert(&mut self, held: Held) {
        let number = self.next_number;
        self.next_number += 1;
        self.by_age.insert((held.sent, number));
        self.slots(held.place).insert((held.visible_from, number));
        self.held.insert(number, held);
    }

    /// Takes one out.
    pub(super) fn remove(&mut self, number: u64) -> Option<Held> {
        let held = self.held.remove(&number)?;
        self.by_age.remove(&(held.sent, number));
        self.slots(held.place).remove(&(held.visible_from, number));
        Some(held)
    }

    /// Moves one to another place, or to another moment there.
    pub(super) fn relocate(&mut self, number: u64, place: Place, visible_from: Instant) {
        let Some(held) = self.held.get_mut(&number) else {
            return;
        };
        let before = (held.place, held.visible_from);
        (held.place, held.visible_from) = (place, visible_from);
        self.slots(before.0).remove(&(before.1, number));
        self.slots(place).insert((visible_from, number));
    }

    /// Forgets all. Numbers are not given out again: handles of messages that are gone must not be good for others.
    pub(super) fn clear(&mut self) {
        *self = Self {
            next_number: self.next_number,
            ..Self::default()
        };
    }

    /// The message of this number.
    pub(super) fn get(&self, number: u64) -> Option<&Held> {
        self.held.get(&number)
    }

    /// The same, to be changed in all but its place.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Held> {
        self.held.get_mut(&number)
    }

    /// The number of the one in a place whose moment comes first.
    pub(super) fn first(&self, place: Place) -> Option<u64> {
        self.numbers(place).next()
    }

    /// The numbers of those in a place, the one whose moment comes first in front.
    pub(super) fn numbers(&self, place: Place) -> impl Iterator<Item = u64> {
        self.of(place).iter().map(|(_, number)| *number)
    }

    /// How many are in a place.
    pub(super) fn count(&self, place: Place) -> usize {
        self.of(place).len()
    }

    /// When the next one becomes visible by itself.
    pub(super) fn next_visible(&self) -> Option<Instant> {
        let next = |place| self.of(place).first().map(|(moment, _)| *moment);
        next(Place::InFlight)
            .into_iter()
            .chain(next(Place::Delayed))
            .min()
    }

    fn of(&self, place: Place) -> &BTreeSet<Slot> {
        match place {
            Place::Visible => &self.visible,
            Place::InFlight => &self.in_flight,
            Place::Delayed => &self.delayed,
        }
    }

    fn slots(&mut self, place: Place) -> &mut BTreeSet<Slot> {
        match place {
            Place::Visible => &mut self.visible,
            Place::InFlight => &mut self.in_flight,
            Place::Delayed => &mut self.delayed,
        }
    }
}
