//! Every order of events, against the real transitions: a model of one task, its client, its deliveries and their
//! workers, which a model checker walks through exhaustively.
//!
//! A step of the model is one answer of the store or of the platform. Between any two of them a process may die, an
//! answer may get lost, a lease may lapse although its worker lives, a message may come twice, the client may cancel.
//! Faults are bounded in number, and each delivery is repeated once before the platform gives it up. What the model
//! repeats of [`crate::worker`] and [`crate::api`] is the order of their calls; what a record becomes is decided by the
//! code that runs in production.

use std::{
    collections::BTreeSet,
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash, Hasher},
};

use serde_json::json;
use stateright::{Checker as _, Expectation, Model, Property};

use super::*;

/// It is always this time. A lease that lasts until later is held, one until now has lapsed.
fn now() -> Timestamp {
    Timestamp::at(Duration::from_secs(1_000))
}

/// A record that can be a part of the model's state.
#[derive(Clone, Debug, PartialEq)]
struct Stored(Record);

impl Eq for Stored {}

impl Hash for Stored {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.0.version, self.0.attempts, self.0.continuations).hash(hasher);
        (self.0.handed_over, self.0.is_leased(now())).hash(hasher);
    }
}

/// What a process does next. A process that is not there any more has no next step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
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
enum End {
    Success,
    Failure,
    Continuation,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Message {
    continuation: u32,
    /// Deliveries that are left. When there are none, the message goes to whoever gives up.
    deliveries: u8,
    process: Option<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    stored: Option<Stored>,
    api: Option<Step>,
    /// Whether the client was told that the task is accepted.
    accepted: bool,
    messages: Vec<Message>,
    /// Attempts that were recorded as successful.
    successes: u8,
    /// Whether a record was changed that had ended.
    changed_after_end: bool,
    faults: u8,
    duplicates: u8,
    cancels: u8,
    renewals: u8,
}

/// How a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum How {
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
    faults: u8,
    duplicates: u8,
    cancels: u8,
    renewals: u8,
    continuations: u32,
}

impl State {
    fn record(&self) -> Option<&Record> {
        self.stored.as_ref().map(|stored| &stored.0)
    }

    fn status(&self) -> Option<Status> {
        self.record().map(|record| record.status)
    }

    fn is_leased(&self) -> bool {
        self.record().is_some_and(|record| record.is_leased(now()))
    }

    /// Whether the worker lives that has the lease.
    fn has_worker(&self) -> bool {
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
    fn replace(&mut self, next: &Record) -> bool {
        let Some(stored) = &self.stored else { return false };
        if stored.0.version + 1 != next.version {
            return false;
        }
        self.changed_after_end |= stored.0.status.is_final();
        self.successes += u8::from(next.status == Status::Succeeded);
        self.stored = Some(settled(next.clone()));
        true
    }

    fn send(&mut self, record: &Record) {
        self.messages.push(Message {
            continuation: record.continuations,
            deliveries: 2,
            process: None,
        });
    }

    /// Nothing will happen any more, unless somebody makes it.
    fn is_quiet(&self) -> bool {
        self.api.is_none() && self.messages.is_empty() && !self.is_leased()
    }
}

/// A record that differs from others only in what matters to the model.
fn settled(mut record: Record) -> Stored {
    record.change = Uuid::nil();
    Stored(record)
}

fn fingerprint(message: &Message) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(message)
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

impl World {
    /// The next step of the API half; see [`crate::api`].
    fn api(&self, state: &mut State, how: How) {
        let Some(step) = state.api.take() else { return };
        state.faults -= u8::from(how != How::Well);
        if how == How::DeadBefore {
            return;
        }
        let next = match step {
            Step::Insert => {
                let record = settled(Record {
                    id: TaskId::from(Uuid::nil()),
                    ..Record::accept("model", Map::new(), now())
                });
                state.stored = Some(record.clone());
                Some(Step::HandOver(record))
            }
            Step::HandOver(record) => {
                if how != How::Refused {
                    state.send(&record.0);
                }
                match how {
                    How::Refused | How::RefusedFalsely => Some(Step::TakeBack(record)),
                    _ if self.has_key => Some(Step::Mark(record)),
                    _ => {
                        state.accepted |= how == How::Well;
                        None
                    }
                }
            }
            Step::TakeBack(record) => {
                match state.record() {
                    Some(stored) if stored.version == record.0.version => state.stored = None,
                    // A worker has begun: it was handed over after all.
                    Some(stored) => state.accepted |= how == How::Well && stored.status != Status::Queued,
                    None => {}
                }
                None
            }
            // Sent again only when the first request can no longer be at it.
            Step::Repeat => match state.record().cloned() {
                None => Some(Step::Insert),
                Some(record) if record.handed_over || record.status.is_final() || record.is_leased(now()) => {
                    state.accepted |= how == How::Well;
                    None
                }
                Some(record) => Some(Step::Send(Stored(record))),
            },
            Step::Send(record) => {
                if how != How::Refused {
                    state.send(&record.0);
                }
                (!matches!(how, How::Refused | How::RefusedFalsely)).then_some(Step::Mark(record))
            }
            Step::Mark(record) => {
                state.replace(&record.0.after_hand_over());
                state.accepted |= how == How::Well;
                None
            }
            _ => None,
        };
        state.api = next.filter(|_| how != How::DeadAfter);
    }
}

/// The next step of a worker, or of who gives up; see [`crate::worker`].
fn worker(state: &mut State, at: usize, how: How) {
    let Some(step) = state.messages[at].process.take() else {
        return;
    };
    state.faults -= u8::from(how != How::Well);
    let gives_up = state.messages[at].deliveries == 0;
    let done = match (how, &step) {
        (How::DeadBefore, _) => Err(()),
        (_, Step::Read) => read(state, at, gives_up),
        (_, Step::Claim(next)) => Ok(if !state.replace(&next.0) {
            Some(Step::Read)
        } else if next.0.status.is_final() {
            None
        } else {
            Some(Step::Work(next.clone()))
        }),
        (_, Step::Conclude(record, end)) => Ok(conclude(state, record, *end)),
        (_, Step::Send(record)) => {
            if how != How::Refused {
                state.send(&record.0);
            }
            match how {
                How::Refused | How::RefusedFalsely if gives_up => {
                    let failed = record.0.failed(Failure::of_task("given up"), now());
                    Ok(Some(Step::GiveUp(settled(failed))))
                }
                How::Refused | How::RefusedFalsely => Err(()),
                _ if gives_up => Ok(Some(Step::GiveUp(settled(record.0.after_hand_over())))),
                _ => Ok(Some(Step::Mark(record.clone()))),
            }
        }
        (_, Step::Mark(record)) => {
            state.replace(&record.0.after_hand_over());
            Ok(None)
        }
        (_, Step::GiveUp(next)) => Ok((!state.replace(&next.0)).then_some(Step::Read)),
        _ => Ok(None),
    };
    match done {
        Ok(Some(next)) if how != How::DeadAfter => state.messages[at].process = Some(next),
        Ok(None) if how != How::DeadAfter => drop(state.messages.remove(at)),
        // It is delivered again, or given up. Who gives up has as many tries as it takes.
        _ => {
            let message = &mut state.messages[at];
            message.deliveries = message.deliveries.saturating_sub(1);
        }
    }
}

/// What a delivery finds. An error stands for one that has to be repeated.
fn read(state: &State, at: usize, gives_up: bool) -> Result<Option<Step>, ()> {
    let Some(record) = state.record() else {
        return Ok(None);
    };
    let gave_up = || Failure {
        code: FailureCode::GaveUp,
        message: String::new(),
    };
    match record.claim(state.messages[at].continuation, now()) {
        Claim::Done => Ok(None),
        Claim::Held(_) => Err(()),
        Claim::HandOver => Ok(Some(Step::Send(Stored(record.clone())))),
        Claim::Granted(_) if gives_up => Ok(Some(Step::GiveUp(settled(record.failed(gave_up(), now()))))),
        Claim::Cancelled(next) if gives_up => Ok(Some(Step::GiveUp(settled(next)))),
        Claim::Granted(next) | Claim::Cancelled(next) => Ok(Some(Step::Claim(settled(next)))),
    }
}

fn conclude(state: &mut State, record: &Stored, end: End) -> Option<Step> {
    let outcome = match end {
        End::Success => Outcome::Succeeded(Value::Null),
        End::Failure => Outcome::Failed(Failure::of_task("failed")),
        End::Continuation => Outcome::ToBeContinued {
            checkpoint: json!(record.0.continuations),
            progress: 0.0,
        },
    };
    let next = record.0.attempted(outcome, now());
    if state.replace(&next) {
        return (!next.status.is_final()).then(|| Step::Send(settled(next)));
    }
    match state.record() {
        Some(newer) if record.0.is_same_attempt(newer) => Some(Step::Conclude(Stored(newer.clone()), end)),
        // Another worker took the task over.
        _ => None,
    }
}

fn renew(state: &mut State, at: usize) {
    state.renewals -= 1;
    let Some(Step::Work(record)) = state.messages[at].process.clone() else {
        return;
    };
    let renewed = record.0.renewed(0.0, now());
    let newest = if state.replace(&renewed) {
        Some(renewed)
    } else {
        state
            .record()
            .filter(|newer| record.0.is_same_attempt(newer))
            .cloned()
    };
    match newest {
        Some(record) => state.messages[at].process = Some(Step::Work(settled(record))),
        None => drop(state.messages.remove(at)),
    }
}

#[test]
fn whatever_happens_in_whatever_order_an_accepted_task_ends_once() {
    let quiet = World {
        has_key: true,
        faults: 1,
        duplicates: 0,
        cancels: 0,
        renewals: 0,
        continuations: 1,
    };
    let worlds = [
        World { faults: 2, ..quiet },
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
