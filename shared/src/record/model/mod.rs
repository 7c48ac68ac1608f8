//! Every order of events, against the real transitions: a model of one task, its client, its deliveries and their
//! workers, which a model checker walks through exhaustively.
//!
//! A step of the model is one answer of the store or of the platform. Between any two of them a process may die, an
//! answer may get lost, a lease may lapse although its worker lives, a message may come twice, the client may cancel.
//! Faults are bounded in number, and each delivery is repeated once before the platform gives it up. What the model
//! repeats of [`crate::worker`] and [`crate::api`] is the order of their calls; what a record becomes is decided by the
//! code that runs in production.

mod processes;
mod state;

use std::collections::BTreeSet;

use stateright::{Checker as _, Expectation, Model, Property};

use self::{processes::*, state::*};
use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Action {
    Api(How),
    /// The client sends its request again.
    Repeat,
    Deliver(usize),
    Worker(usize, How),
    /// The worker at that message ends its work so.
    End(usize, End),
    Renew(usize),
    Duplicate(usize),
    LapseLease,
    Cancel,
}

/// What may happen, and how often. The number of orders grows with each of them so quickly that there are several
/// worlds instead of one that has everything.
#[derive(Clone, Copy, Debug)]
struct World {
    has_key: bool,
    /// Whether the client prefers to wait.
    waits: bool,
    faults: u8,
    duplicates: u8,
    cancels: u8,
    renewals: u8,
    continuations: u32,
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            stored: None,
            api: Some(Step::Insert),
            accepted: false,
            messages: Vec::new(),
            successes: 0,
            changed_after_end: false,
            faults: self.faults,
            duplicates: self.duplicates,
            cancels: self.cancels,
            renewals: self.renewals,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let ways = |step: &Step| {
            let mut ways = vec![How::Well];
            if state.faults > 0 {
                ways.extend([How::DeadBefore, How::DeadAfter]);
                if matches!(step, Step::HandOver(_) | Step::Send(_)) {
                    ways.extend([How::Refused, How::RefusedFalsely]);
                }
            }
            ways
        };
        match &state.api {
            Some(step) => actions.extend(ways(step).into_iter().map(Action::Api)),
            None if self.has_key && !state.accepted => actions.push(Action::Repeat),
            None => {}
        }
        for (at, message) in state.messages.iter().enumerate() {
            match &message.process {
                // Who gives up gets the message when the lease of the last worker has lapsed, or again then.
                None if message.deliveries == 0 && state.is_leased() => {}
                None => actions.push(Action::Deliver(at)),
                Some(Step::Work(_)) => {
                    for end in [End::Success, End::Failure, End::Continuation] {
                        actions.push(Action::End(at, end));
                    }
                    if state.faults > 0 {
                        actions.push(Action::Worker(at, How::DeadBefore));
                    }
                    if state.renewals > 0 {
                        actions.push(Action::Renew(at));
                    }
                }
                Some(step) => actions.extend(ways(step).into_iter().map(|how| Action::Worker(at, how))),
            }
            if state.duplicates > 0 && message.process.is_none() {
                actions.push(Action::Duplicate(at));
            }
        }
        if state.is_leased() && (state.faults > 0 || !state.has_worker()) {
            actions.push(Action::LapseLease);
        }
        if state.cancels > 0 && state.accepted {
            actions.push(Action::Cancel);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Api(how) => self.api(&mut state, how),
            Action::Repeat => state.api = Some(Step::Repeat),
            Action::Deliver(at) => state.messages[at].process = Some(Step::Read),
            Action::Worker(at, how) => worker(&mut state, at, how),
            Action::End(at, end) => {
                if let Some(Step::Work(record)) = state.messages[at].process.clone() {
                    state.messages[at].process = Some(Step::Conclude(record, end));
                }
            }
            Action::Renew(at) => renew(&mut state, at),
            Action::Duplicate(at) => {
                state.duplicates -= 1;
                let message = Message {
                    deliveries: 2,
                    ..state.messages[at].clone()
                };
                state.messages.push(message);
            }
            Action::LapseLease => {
                // Time does this to a worker that is dead, and a fault to one that lives.
                state.faults -= u8::from(state.has_worker());
                let mut record = state.record()?.clone();
                record.leased_until = Some(now());
                state.stored = Some(Stored(record));
            }
            Action::Cancel => {
                state.cancels -= 1;
                let cancelled = state.record()?.cancelled(now())?;
                state.replace(&cancelled);
            }
        }
        // In whatever order they came: it is the same state.
        state.messages.sort_by_cached_key(fingerprint);
        Some(state)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state
            .record()
            .is_none_or(|record| record.continuations <= self.continuations)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("an accepted task ends", |_, state: &State| {
                !(state.is_quiet() && state.accepted)
                    || state.record().is_some_and(|record| record.status.is_final())
            }),
            Property::always("a task succeeds once", |_, state: &State| state.successes <= 1),
            Property::always("an ended task is never changed", |_, state: &State| {
                !state.changed_after_end
            }),
            Property::sometimes("a second attempt succeeds", |_, state: &State| {
                state.status() == Some(Status::Succeeded)
                    && state
                        .record()
                        .is_some_and(|record| record.attempts > record.continuations + 1)
            }),
            Property::sometimes("a continued task succeeds", |_, state: &State| {
                state.status() == Some(Status::Succeeded)
                    && state.record().is_some_and(|record| record.continuations == 2)
            }),
            Property::sometimes("a task is given up", |_, state: &State| {
                let error = state.record().and_then(|record| record.error.as_ref());
                error.is_some_and(|error| error.code == FailureCode::GaveUp)
            }),
            Property::sometimes("a running task is cancelled", |_, state: &State| {
                state.status() == Some(Status::Cancelled)
                    && state.record().is_some_and(|record| record.attempts > 0)
            }),
        ]
    }
}

#[test]
fn whatever_happens_in_whatever_order_an_accepted_task_ends_once() {
    let quiet = World {
        has_key: true,
        waits: false,
        faults: 1,
        duplicates: 0,
        cancels: 0,
        renewals: 0,
        continuations: 1,
    };
    let worlds = [
        World { faults: 2, ..quiet },
        World { waits: true, ..quiet },
        World {
            continuations: 2,
            ..quiet
        },
        World {
            renewals: 1,
            cancels: 1,
            ..quiet
        },
        World {
            duplicates: 1,
            cancels: 1,
            ..quiet
        },
        World {
            has_key: false,
            duplicates: 1,
            cancels: 1,
            ..quiet
        },
    ];
    let mut never_seen: BTreeSet<_> = quiet.properties().iter().map(|property| property.name).collect();
    for world in worlds {
        let checker = world.checker().threads(2).spawn_bfs().join();
        for property in world.properties() {
            if let Some(path) = checker.discovery(property.name) {
                assert_eq!(
                    property.expectation,
                    Expectation::Sometimes,
                    "{}: {:?}",
                    property.name,
                    path.into_actions()
                );
                never_seen.remove(property.name);
            } else if property.expectation == Expectation::Always {
                never_seen.remove(property.name);
            }
        }
        assert!(checker.is_done());
        println!("{world:?}: {} states", checker.unique_state_count());
    }
    assert_eq!(never_seen, BTreeSet::new(), "the model never gets there");
}
