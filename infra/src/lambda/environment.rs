//! An execution environment: where a function's events are handled one at a time, and its life
//! (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).
//!
//! In the init phase the process is started; it ends when the runtime and its extensions ask for their first event.
//! Between events the environment is frozen: none of its threads gets to run. A timeout or a crash resets it: the
//! process is gone, the environment stays, and init is done again as part of the next invocation, without a report of
//! its own (a "suppressed init").

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::time::{Instant, sleep_until};

use super::{
    failure::Failure,
    invocation::{Invocation, Outcome, Reply},
    log::{Log, LogFile, Phase, Report},
    runtime::{Runtime, Step},
    settings::{Settings, new_log_stream},
};
use crate::{
    chaos::{Chaos, Fault},
    process::Host,
};

/// How long the init phase may take. What has failed or taken longer is tried again within the first invocation, under
/// the function's timeout.
const INIT: Duration = Duration::from_secs(10);

/// A place for a function's process.
#[derive(Debug)]
pub(super) struct Environment {
    settings: Arc<Settings>,
    host: Host,
    chaos: Chaos,
    log: Log,
    log_stream: Arc<str>,
    /// Absent when init failed, or after a reset.
    runtime: Option<Runtime>,
    /// How long init took, until it is reported with the first invocation.
    init: Option<Duration>,
}

impl Environment {
    /// An environment that has been through its init phase, whether that was successful or not.
    pub(super) async fn start(
        settings: Arc<Settings>,
        host: Host,
        chaos: Chaos,
        log_file: Arc<LogFile>,
    ) -> Self {
        let log_stream = new_log_stream();
        let mut environment = Self {
            settings,
            host,
            chaos,
            log: Log::new(log_file, Arc::clone(&log_stream)),
            log_stream,
            runtime: None,
            init: None,
        };
        let started = Instant::now();
        if environment.initialize(Phase::Init, started + INIT).await.is_ok() {
            environment.init = Some(started.elapsed());
        }
        // A short init has had all the CPU there is, as on AWS, which calls it "burst CPU"
        // (https://awslabs.github.io/aws-lambda-web-adapter/configuration/async-init.html). What follows has its share.
        if let Some(runtime) = &mut environment.runtime {
            runtime.cpu_is_limited().await;
        }
        environment
    }

    async fn initialize(&mut self, phase: Phase, deadline: Instant) -> Result<(), Failure> {
        let started = Instant::now();
        let initialized = self.start_runtime(deadline).await;
        if let Err(failure) = &initialized {
            self.log.init_report(started.elapsed(), phase, failure);
        }
        self.runtime = Some(initialized?);
        Ok(())
    }

    async fn start_runtime(&mut self, deadline: Instant) -> Result<Runtime, Failure> {
        let output = self
            .log
            .connect()
            .map_err(|error| Failure::NotStarted(error.to_string()))?;
        let mut runtime = Runtime::start(&self.settings, &self.log_stream, &self.host, output).await?;
        loop {
            tokio::select! {
                step = runtime.step() => match step {
                    Step::Ready => break,
                    // There was no event yet.
                    Step::Answered(_) => {}
                    Step::Failed(failure) => {
                        self.log.drain();
                        return Err(failure);
                    }
                },
                () = sleep_until(deadline) => {
                    runtime.shut_down(&mut self.log).await;
                    return Err(Failure::TimedOut);
                }
                () = self.log.follow() => {}
            }
        }
        runtime.close_registration();
        Ok(runtime)
    }

    /// Handles one event. Whatever comes of it, the environment can handle another one afterwards.
    pub(super) async fn invoke(&mut self, invocation: &Arc<Invocation>, reply: &mut Reply) {
        let started = Instant::now();
        let deadline = started + self.settings.timeout;
        let initialized = match self.runtime {
            Some(_) => Ok(()),
            None => self.initialize(Phase::Invoke, deadline).await,
        };
        self.log.start(&invocation.request_id);
        let (outcome, end) = match initialized {
            Ok(()) => self.run(invocation, deadline, reply).await,
            Err(failure) => (None, Err(failure)),
        };
        let outcome = outcome.unwrap_or_else(|| self.unanswered(invocation, &end));
        self.report(invocation, &end, started.elapsed());
        let log_tail = if invocation.wants_log {
            self.log.tail()
        } else {
            Vec::new()
        };
        reply.send(Outcome { log_tail, ..outcome });
        if end.is_err() {
            self.reset().await;
        }
    }

    /// Delivers the event and follows the runtime until it and its extensions ask for the next one, it ends, or the
    /// time is over. The answer is passed on at once, unless the caller wants the log too.
    async fn run(
        &mut self,
        invocation: &Arc<Invocation>,
        deadline: Instant,
        reply: &mut Reply,
    ) -> (Option<Outcome>, Result<(), Failure>) {
        let mut outcome = None;
        let Some(runtime) = &mut self.runtime else {
            return (outcome, Ok(()));
        };
        runtime.deliver(
            invocation,
            SystemTime::now() + deadline.saturating_duration_since(Instant::now()),
        );
        let mut killed = self.chaos.kills_environment().map(|delay| Instant::now() + delay);
        loop {
            tokio::select! {
                step = runtime.step() => match step {
                    Step::Ready => return (outcome, Ok(())),
                    Step::Failed(failure) => return (outcome, Err(failure)),
                    Step::Answered(answer) => {
                        if !invocation.wants_log {
                            reply.send(answer.clone());
                        }
                        outcome = Some(answer);
                    }
                },
                () = sleep_until(deadline) => return (outcome, Err(Failure::TimedOut)),
                // That it is dead is noticed as of any other.
                () = sleep_until(killed.unwrap_or(deadline)), if killed.is_some() => {
                    killed = None;
                    runtime.kill();
                    let (name, stream, id) = (&self.settings.name, &self.log_stream, &invocation.request_id);
                    let what = format!("killed environment {stream} of {name} during request {id}");
                    self.chaos.inflicted(Fault::Kill, &what);
                }
                () = self.log.follow() => {}
            }
        }
    }

    /// The outcome of an invocation to which the function gave none.
    fn unanswered(&self, invocation: &Invocation, end: &Result<(), Failure>) -> Outcome {
        let id = &invocation.request_id;
        if let Err(failure) = end {
            return failure.outcome(id, self.settings.timeout);
        }
        let message = "the runtime asked for the next event without an answer to this one";
        Outcome::platform_error(id, "Runtime.InvalidState", message)
    }

    fn report(&mut self, invocation: &Invocation, end: &Result<(), Failure>, duration: Duration) {
        let id = &invocation.request_id;
        if let Err(failure) = end {
            // It is over: what is still running writes nothing more.
            self.freeze();
            self.log.drain();
            failure
                .log_lines(id, self.settings.timeout)
                .iter()
                .for_each(|line| self.log.line(line));
        }
        self.log.end(&Report {
            request_id: id,
            duration,
            init: self.init.take(),
            memory_size: self.settings.memory_size,
            max_memory_used: self.runtime.as_ref().and_then(Runtime::peak_memory),
            failure: end.as_ref().err(),
        });
    }

    /// Ends the process; the environment stays.
    async fn reset(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shut_down(&mut self.log).await;
        }
    }

    /// The shutdown phase, and the end of the environment.
    pub(super) async fn shut_down(mut self) {
        self.reset().await;
    }

    /// Stops every thread of the process until the next event.
    pub(super) fn freeze(&mut self) {
        if let Some(runtime) = &mut self.runtime {
            runtime.freeze();
        }
    }

    /// Whether the environment can take an event: made from these settings, and not killed while it was idle.
    pub(super) fn is_usable(&mut self, settings: &Arc<Settings>) -> bool {
        let is_alive = self.runtime.as_mut().is_none_or(|runtime| !runtime.has_ended());
        Arc::ptr_eq(&self.settings, settings) && is_alive
    }
}
