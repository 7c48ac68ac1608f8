//! The runtime of an environment: its process, what it and its extensions ask for through their APIs, and what they
//! are sent.

use std::{
    io,
    net::SocketAddr,
    os::fd::OwnedFd,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::json;
use tokio::{sync::oneshot, task::spawn_blocking, time::timeout};

use super::{
    extensions::Extensions,
    failure::Failure,
    invocation::{Invocation, Outcome},
    log::Log,
    runtime_api::{Answer, Attempt, Call, Delivery, RuntimeApi},
    settings::Settings,
};
use crate::process::{Host, ProcessGroup, Program};

/// How long a runtime has after SIGTERM, if an extension is registered in it; without one it has no time and gets no
/// signal (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>).
const SHUTDOWN: Duration = Duration::from_millis(500);

/// A process that polls for events, or handles one; killed when dropped.
#[derive(Debug)]
pub(super) struct Runtime {
    process: ProcessGroup,
    api: RuntimeApi,
    settings: Arc<Settings>,
    /// Its open request for its next event.
    waiting: Option<oneshot::Sender<Delivery>>,
    extensions: Extensions,
    /// The attempt that it has and has not answered: request id and invocation id.
    unanswered: Option<(String, String)>,
    is_frozen: bool,
}

/// Something that happened.
#[derive(Debug)]
pub(super) enum Step {
    /// The runtime and all extensions ask for the next event.
    Ready,
    /// The event is answered.
    Answered(Outcome),
    Failed(Failure),
}

impl Runtime {
    /// Starts a process that writes into `output`.
    pub(super) async fn start(
        settings: &Arc<Settings>,
        log_stream: &str,
        host: &Host,
        output: OwnedFd,
    ) -> Result<Self, Failure> {
        let api = RuntimeApi::listen()
            .await
            .map_err(|error| Failure::NotStarted(error.to_string()))?;
        let process = start_process(settings, log_stream, api.address, host, output)
            .await
            .map_err(|error| {
                Failure::NotStarted(format!("fork/exec {}: {error}", settings.executable.display()))
            })?;
        Ok(Self {
            process,
            api,
            settings: Arc::clone(settings),
            waiting: None,
            extensions: Extensions::default(),
            unanswered: None,
            is_frozen: false,
        })
    }

    /// Waits until something happens. Cancel safe.
    pub(super) async fn step(&mut self) -> Step {
        loop {
            tokio::select! {
                // What a process said before its end comes first.
                biased;
                Some(call) = self.api.calls.recv() => {
                    if let Some(step) = self.take(call) {
                        return step;
                    }
                }
                status = self.process.ended() => {
                    let is_out_of_memory = self.process.ran_out_of_memory();
                    return Step::Failed(Failure::Exited { status, is_out_of_memory });
                }
            }
        }
    }

    fn take(&mut self, call: Call) -> Option<Step> {
        match call {
            Call::Next(waiting) => {
                self.waiting = Some(waiting);
                self.ready()
            }
            Call::Answered {
                attempt,
                outcome,
                answer,
            } => {
                let is_awaited = self.settle(&attempt);
                let _ = answer.send(if is_awaited {
                    Answer::Accepted
                } else {
                    Answer::UnknownRequest
                });
                is_awaited.then_some(Step::Answered(outcome))
            }
            Call::InitError { payload } => Some(Step::Failed(Failure::Reported(payload))),
            Call::RegisterExtension {
                id,
                name,
                events,
                answer,
            } => {
                let Settings {
                    name: function,
                    handler,
                    ..
                } = self.settings.as_ref();
                let function =
                    json!({"functionName": function, "functionVersion": "$LATEST", "handler": handler});
                self.extensions.register(id, name, &events, function, answer);
                None
            }
            Call::ExtensionNext { id, answer } => {
                self.extensions.wait(&id, answer);
                self.ready()
            }
            Call::ExtensionError {
                id,
                error_type,
                answer,
            } => {
                let failed = self.extensions.fail(&id, answer);
                failed.then_some(Step::Failed(Failure::Extension(error_type)))
            }
        }
    }

    fn ready(&self) -> Option<Step> {
        (self.waiting.is_some() && self.extensions.are_ready()).then_some(Step::Ready)
    }

    /// An answer counts once, and only for the event that the runtime has.
    fn settle(&mut self, attempt: &Attempt) -> bool {
        let is_this = |(request_id, invocation_id): &mut (String, String)| {
            *request_id == attempt.request_id
                && attempt
                    .invocation_id
                    .as_ref()
                    .is_none_or(|given| given == invocation_id)
        };
        self.unanswered.take_if(is_this).is_some()
    }

    /// Init is over: no further extensions.
    pub(super) fn close_registration(&mut self) {
        self.extensions.close();
    }

    /// Returns once the process gets no more CPU time than it may.
    pub(super) async fn cpu_is_limited(&mut self) {
        self.process.cpu_is_limited().await;
    }

    /// Sends an event to the runtime, and word of it to the extensions.
    pub(super) fn deliver(&mut self, invocation: &Arc<Invocation>, deadline: SystemTime) {
        self.thaw();
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let function_arn = Arc::clone(&self.settings.arn);
        let invocation_id = uuid::Uuid::new_v4().to_string();
        self.unanswered = Some((invocation.request_id.clone(), invocation_id.clone()));
        let delivery = Delivery {
            invocation: Arc::clone(invocation),
            invocation_id,
            deadline,
            function_arn,
        };
        self.extensions.announce(&delivery);
        // Where the runtime has hung up, its process has ended, and that is noticed next.
        let _ = waiting.send(delivery);
    }

    /// Stops every thread of the process until the next event.
    pub(super) fn freeze(&mut self) {
        self.process.freeze();
        self.is_frozen = true;
    }

    fn thaw(&mut self) {
        if std::mem::take(&mut self.is_frozen) {
            self.process.thaw();
        }
    }

    /// Kills the process, as if it had crashed.
    pub(super) fn kill(&self) {
        self.process.kill();
    }

    /// Whether the process has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        self.process.has_ended()
    }

    /// The most memory that the process had, in MB.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        self.process.peak_memory()
    }

    /// The shutdown phase: the process may end in order if an extension is registered in it, and is killed then.
    pub(super) async fn shut_down(mut self, log: &mut Log) {
        if !self.extensions.is_empty() && !self.process.has_ended() {
            self.process.terminate();
            self.thaw();
            let ended = async {
                loop {
                    tokio::select! {
                        _ = self.process.ended() => return,
                        () = log.follow() => {}
                    }
                }
            };
            // Elapsed or not, it is over.
            let _ = timeout(SHUTDOWN, ended).await;
        }
        log.drain();
    }
}

/// Starting a process blocks its thread for a millisecond and more. On one of Tokio's own, the requests there would wait
/// for it.
async fn start_process(
    settings: &Arc<Settings>,
    log_stream: &str,
    runtime_api: SocketAddr,
    host: &Host,
    output: OwnedFd,
) -> io::Result<ProcessGroup> {
    let (settings, host) = (Arc::clone(settings), host.clone());
    let environment = settings.environment_variables(runtime_api, log_stream);
    let started = spawn_blocking(move || {
        let program = Program {
            executable: &settings.executable,
            environment,
            directory: &settings.directory,
            memory_size: settings.memory_size,
            output,
        };
        ProcessGroup::start(program, &host)
    });
    started.await?
}
