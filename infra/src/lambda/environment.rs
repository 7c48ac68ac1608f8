//! An execution environment: one process of a function, and its life
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).
//!
//! Starting the process begins the init phase, which ends when the runtime asks for its first event. An environment
//! handles one event at a time. Between events it is frozen: none of its threads gets to run.

use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::{
    invocation::{Invocation, Outcome, Reply},
    log::{Log, Report},
    runtime_api::{Answer, Call, Delivery, RuntimeApi},
    settings::Settings,
};
use crate::process::{ProcessGroup, Program, reaper::Reaper};

/// A process that polls for events, or handles one.
#[derive(Debug)]
pub(super) struct Environment {
    process: ProcessGroup,
    runtime: RuntimeApi,
    log: Log,
    settings: Arc<Settings>,
    /// The runtime's open request for its next event.
    waiting: Option<oneshot::Sender<Delivery>>,
    /// How long init took, until it is reported with the first invocation.
    init: Option<Duration>,
    is_frozen: bool,
}

/// Why an environment did not come to ask for an event.
#[derive(Debug, thiserror::Error)]
pub(super) enum InitFailure {
    #[error("the process could not be started: {0}")]
    NotStarted(#[from] io::Error),
    #[error("init did not end in time")]
    TimedOut,
    #[error("Runtime exited with error: {0}")]
    Exited(String),
    /// With the error that the runtime reported.
    #[error("the runtime reported an error during init")]
    Reported(Bytes),
}

/// How the handling of an event ended.
enum End {
    /// The runtime asks for the next one.
    Ready,
    TimedOut,
    Exited(String),
}

impl Environment {
    /// Starts a process of the function, and waits until it asks for an event, `limit` at most.
    pub(super) async fn start(
        settings: Arc<Settings>,
        reaper: &Reaper,
        limit: Duration,
    ) -> Result<Self, InitFailure> {
        let runtime = RuntimeApi::listen().await?;
        let (log, output) = Log::new(settings.name.clone())?;
        let started = Instant::now();
        let process = ProcessGroup::start(
            Program {
                executable: &settings.executable,
                environment: settings.environment_variables(runtime.address),
                directory: &settings.directory,
                output,
            },
            reaper,
        )?;
        let mut environment = Self {
            process,
            runtime,
            log,
            settings,
            waiting: None,
            init: None,
            is_frozen: false,
        };
        environment.init(started + limit).await?;
        environment.init = Some(started.elapsed());
        Ok(environment)
    }

    async fn init(&mut self, deadline: Instant) -> Result<(), InitFailure> {
        loop {
            tokio::select! {
                Some(call) = self.runtime.calls.recv() => match call {
                    Call::Next(waiting) => {
                        self.waiting = Some(waiting);
                        return Ok(());
                    }
                    Call::InitError { payload } => {
                        self.log.drain();
                        return Err(InitFailure::Reported(payload));
                    }
                    call => refuse(call),
                },
                status = self.process.ended() => {
                    self.log.drain();
                    return Err(InitFailure::Exited(status));
                }
                () = sleep_until(deadline) => return Err(InitFailure::TimedOut),
                () = self.log.follow() => {}
            }
        }
    }

    /// Handles one event. Answers whether the environment can handle another.
    pub(super) async fn invoke(&mut self, invocation: Arc<Invocation>, mut reply: Reply) -> bool {
        self.log.start(&invocation.request_id);
        let started = Instant::now();
        self.deliver(&invocation);
        let (outcome, end) = self
            .follow(&invocation, started + self.settings.timeout, &mut reply)
            .await;
        let duration = started.elapsed();
        let outcome = outcome.unwrap_or_else(|| self.failure(&invocation, &end));
        self.log_end(&invocation, &end, duration);
        let log_tail = if invocation.wants_log {
            self.log.tail()
        } else {
            Vec::new()
        };
        reply.send(Outcome { log_tail, ..outcome });
        matches!(end, End::Ready)
    }

    /// Stops every thread of the process until the next event.
    pub(super) fn freeze(&mut self) {
        self.process.freeze();
        self.is_frozen = true;
    }

    /// Whether the environment can take an event: made from these settings, and still there.
    pub(super) fn is_usable(&mut self, settings: &Arc<Settings>) -> bool {
        Arc::ptr_eq(&self.settings, settings) && !self.process.has_ended()
    }

    fn deliver(&mut self, invocation: &Arc<Invocation>) {
        if std::mem::take(&mut self.is_frozen) {
            self.process.thaw();
        }
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let delivery = Delivery {
            invocation: Arc::clone(invocation),
            deadline: SystemTime::now() + self.settings.timeout,
            function_arn: Arc::clone(&self.settings.arn),
        };
        // Where the runtime has hung up, its process has ended, and that is noticed next.
        let _ = waiting.send(delivery);
    }

    /// Follows the runtime until it asks for the next event, ends, or is out of time. What it answers is passed on at
    /// once, unless the caller wants the log too.
    async fn follow(
        &mut self,
        invocation: &Invocation,
        deadline: Instant,
        reply: &mut Reply,
    ) -> (Option<Outcome>, End) {
        let mut outcome = None;
        loop {
            tokio::select! {
                Some(call) = self.runtime.calls.recv() => {
                    match call {
                        Call::Next(waiting) => {
                            self.waiting = Some(waiting);
                            return (outcome, End::Ready);
                        }
                        call if outcome.is_none() => outcome = outcome_of(call, &invocation.request_id),
                        call => refuse(call),
                    }
                    if let Some(outcome) = outcome.as_ref().filter(|_| !invocation.wants_log) {
                        reply.send(outcome.clone());
                    }
                }
                status = self.process.ended() => return (outcome, End::Exited(status)),
                () = sleep_until(deadline) => return (outcome, End::TimedOut),
                () = self.log.follow() => {}
            }
        }
    }

    /// The outcome of an invocation to which the function gave none.
    fn failure(&self, invocation: &Invocation, end: &End) -> Outcome {
        let id = &invocation.request_id;
        match end {
            End::TimedOut => Outcome::timed_out(id, self.settings.timeout),
            End::Exited(status) => Outcome::platform_error(
                id,
                "Runtime.ExitError",
                &format!("Runtime exited with error: {status}"),
            ),
            End::Ready => {
                let message = "the runtime asked for the next event without an answer to this one";
                Outcome::platform_error(id, "Runtime.InvalidState", message)
            }
        }
    }

    fn log_end(&mut self, invocation: &Invocation, end: &End, duration: Duration) {
        let id = &invocation.request_id;
        match end {
            End::TimedOut => self.log.timed_out(id, self.settings.timeout),
            End::Exited(status) => self.log.exited(id, status),
            End::Ready => {}
        }
        self.log.end(&Report {
            request_id: id,
            duration,
            init: self.init.take(),
            memory_size: self.settings.memory_size,
            max_memory_used: self.process.peak_memory(),
        });
    }
}

/// The outcome that the runtime reports for this event; nothing, if it speaks of another one.
fn outcome_of(call: Call, request_id: &str) -> Option<Outcome> {
    match call {
        Call::Response {
            request_id: id,
            payload,
            answer,
        } if id == request_id => {
            accept(answer);
            Some(Outcome::response(payload))
        }
        Call::Error {
            request_id: id,
            payload,
            answer,
        } if id == request_id => {
            accept(answer);
            Some(Outcome::error(payload))
        }
        Call::TooLarge { request_id: id } if id == request_id => {
            let message = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
            Some(Outcome::platform_error(
                request_id,
                "Function.ResponseSizeTooLarge",
                message,
            ))
        }
        call => {
            refuse(call);
            None
        }
    }
}

fn accept(answer: oneshot::Sender<Answer>) {
    let _ = answer.send(Answer::Accepted);
}

/// Answers a call that does not fit the state of the environment.
fn refuse(call: Call) {
    if let Call::Response { answer, .. } | Call::Error { answer, .. } = call {
        let _ = answer.send(Answer::UnknownRequest);
    }
}
