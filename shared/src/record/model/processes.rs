//! The steps of the processes, each one answer of the store or of the platform: the order of the calls in [`crate::api`] and
//! [`crate::worker`].

use serde_json::json;

use super::super::*;
use super::{World, state::*};

impl World {
    /// The next step of the API half; see [`crate::api`].
    pub(super) fn api(&self, state: &mut State, how: How) {
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
                if self.waits && how != How::DeadAfter {
                    state.run_within_request();
                }
                (!self.waits).then_some(Step::HandOver(record))
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
                Some(record) if record.handed_over || record.status.is_final() => {
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
pub(super) fn worker(state: &mut State, at: usize, how: How) {
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
        (_, Step::Conclude(record, end)) => conclude(state, record, *end),
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
        Ok(None) if how != How::DeadAfter => {
            state.accepted |= state.messages[at].within_request;
            state.messages.remove(at);
        }
        _ => fail(state, at),
    }
}

/// It is delivered again, or given up. Who gives up has as many tries as it takes.
fn fail(state: &mut State, at: usize) {
    if state.messages[at].within_request {
        state.messages.remove(at);
    } else {
        let message = &mut state.messages[at];
        message.process = None;
        message.deliveries = message.deliveries.saturating_sub(1);
    }
}

/// What a delivery finds. An error stands for one that has to be repeated.
pub(super) fn read(state: &State, at: usize, gives_up: bool) -> Result<Option<Step>, ()> {
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
        Claim::Granted(next) if !state.messages[at].within_request => {
            Ok(Some(Step::Claim(settled(next.delivered()))))
        }
        Claim::Granted(next) | Claim::Cancelled(next) => Ok(Some(Step::Claim(settled(next)))),
    }
}

/// An error where another worker took the task over.
pub(super) fn conclude(state: &mut State, record: &Stored, end: End) -> Result<Option<Step>, ()> {
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
        return Ok((!next.status.is_final()).then(|| Step::Send(settled(next))));
    }
    match state.record() {
        Some(newer) if record.0.is_same_attempt(newer) => {
            Ok(Some(Step::Conclude(Stored(newer.clone()), end)))
        }
        _ => Err(()),
    }
}

pub(super) fn renew(state: &mut State, at: usize) {
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
        None => fail(state, at),
    }
}
