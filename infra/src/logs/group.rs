//! A log group: the newest events of a function, as many as fit.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;

/// How much memory the events of one function take, in bytes. Older ones are forgotten.
const CAPACITY: usize = 8 * 1024 * 1024;

/// An event, as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// Its place in the group: 0 for the first that there ever was.
    pub(super) number: u64,
    /// When it was written, in milliseconds since 1970.
    pub(super) timestamp: i64,
    /// The log stream of the environment that wrote it.
    pub(super) stream: Arc<str>,
    /// The line, without its end.
    pub(super) line: Box<str>,
}

/// The events of one function, of all its environments, in the order in which they were written.
#[derive(Debug, Default)]
pub struct LogGroup {
    events: Mutex<Events>,
}

#[derive(Debug, Default)]
struct Events {
    kept: VecDeque<Event>,
    /// What they take, in bytes.
    size: usize,
    /// How many there were.
    count: u64,
}

impl LogGroup {
    /// Adds a line that was just written by the environment of that log stream.
    pub fn add(&self, stream: &Arc<str>, line: &str) {
        let mut events = self.events();
        // A clock that is set back must not break the order.
        let last = events.kept.back().map_or(0, |event| event.timestamp);
        let event = Event {
            number: events.count,
            timestamp: Timestamp::now().as_millisecond().max(last),
            stream: Arc::clone(stream),
            line: line.into(),
        };
        events.count += 1;
        events.size += event.size();
        events.kept.push_back(event);
        while events.size > CAPACITY
            && let Some(oldest) = events.kept.pop_front()
        {
            events.size -= oldest.size();
        }
    }

    /// The first so many events from this place on that are wanted, and the place after them, if there may be more.
    pub(super) fn page(
        &self,
        from: u64,
        limit: usize,
        is_wanted: impl Fn(&Event) -> bool,
    ) -> (Vec<Event>, Option<u64>) {
        let events = self.events();
        let begin = events.kept.partition_point(|event| event.number < from);
        let mut wanted = events.kept.range(begin..).filter(|event| is_wanted(event));
        let page: Vec<Event> = wanted.by_ref().take(limit).cloned().collect();
        let next = wanted.next().map(|event| event.number);
        (page, next)
    }

    fn events(&self) -> MutexGuard<'_, Events> {
        // Each change leaves the whole list behind, whatever panics.
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Event {
    fn size(&self) -> usize {
        size_of::<Self>() + self.line.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Arc<str> {
        "2026/03/09/[$LATEST]0".into()
    }

    fn lines(events: &[Event]) -> Vec<&str> {
        events.iter().map(|event| event.line.as_ref()).collect()
    }

    #[test]
    fn a_page_ends_at_its_limit_and_the_next_one_begins_there() {
        let group = LogGroup::default();
        for line in ["a", "skipped", "b", "c"] {
            group.add(&stream(), line);
        }
        let wanted = |event: &Event| &*event.line != "skipped";
        let (page, next) = group.page(0, 2, wanted);
        assert_eq!((lines(&page), next), (vec!["a", "b"], Some(3)));
        let (page, next) = group.page(3, 2, wanted);
        assert_eq!((lines(&page), next), (vec!["c"], None));
    }

    #[test]
    fn the_oldest_events_make_room_and_what_is_left_keeps_its_place() {
        let group = LogGroup::default();
        let line = "x".repeat(1024 * 1024);
        for _ in 0..20 {
            group.add(&stream(), &line);
        }
        let (page, next) = group.page(0, usize::MAX, |_| true);
        assert_eq!((page.len(), next), (7, None));
        assert_eq!(page[0].number, 13);
        assert!(group.events().size <= CAPACITY);
    }

    #[test]
    fn events_are_in_the_order_of_their_times() {
        let group = LogGroup::default();
        (0..100).for_each(|_| group.add(&stream(), "line"));
        let (page, _) = group.page(0, usize::MAX, |_| true);
        assert!(page.is_sorted_by_key(|event| event.timestamp));
    }
}
