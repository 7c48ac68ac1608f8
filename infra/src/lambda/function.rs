//! A function: its execution environments, and which of them handles an event.
//!
//! An idle environment is used again; where there is none, one is started, as long as the function's concurrency
//! allows (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>). Idle ones are frozen, and after a
//! while removed.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};

use super::{
    environment::{Environment, InitFailure},
    invocation::{Invocation, Outcome, Reply},
    settings::Settings,
};
use crate::{process::reaper::Reaper, template};

/// How long init may take
/// (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib>).
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// A function and its environments.
#[derive(Debug)]
pub struct Function {
    settings: RwLock<Arc<Settings>>,
    /// What becomes of asynchronous invocations.
    pub asynchronous: template::AsynchronousConfiguration,
    /// The queue for the events that were given up on, in the older form.
    pub dead_letter_target: Option<String>,
    idle: Mutex<Vec<Idle>>,
    concurrency: Arc<Semaphore>,
    /// Whether no invocation is ever possible: concurrency zero is reserved.
    pub is_switched_off: bool,
    reaper: Reaper,
}

#[derive(Debug)]
struct Idle {
    environment: Environment,
    since: Instant,
}

/// The concurrency of the function, or of the account, is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Rate Exceeded.")]
pub struct Throttled;

impl Function {
    /// A function without environments. It shares `concurrency` with others, unless the template reserves it some.
    pub fn new(
        declared: &template::Function,
        settings: Settings,
        unreserved: &Arc<Semaphore>,
        reaper: Reaper,
    ) -> Self {
        let reserved = declared.reserved_concurrent_executions;
        let own = reserved.map(|reserved| Arc::new(Semaphore::new(reserved as usize)));
        Self {
            settings: RwLock::new(Arc::new(settings)),
            asynchronous: declared.asynchronous.clone(),
            dead_letter_target: declared.dead_letter_target.clone(),
            idle: Mutex::default(),
            concurrency: own.unwrap_or_else(|| Arc::clone(unreserved)),
            is_switched_off: reserved == Some(0),
            reaper,
        }
    }

    /// The present configuration.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the configuration. Environments of the old one finish what they are at and are not used again.
    pub fn configure(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        self.idle().clear();
    }

    /// Has an event handled. The outcome comes by the channel; the function runs on even if nobody waits for it.
    ///
    /// # Errors
    ///
    /// No environment may be added at present.
    pub fn invoke(self: &Arc<Self>, invocation: Invocation) -> Result<oneshot::Receiver<Outcome>, Throttled> {
        let permit = Arc::clone(&self.concurrency)
            .try_acquire_owned()
            .map_err(|_| Throttled)?;
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(Arc::clone(self).handle(Arc::new(invocation), Reply::new(sender), permit));
        Ok(receiver)
    }

    /// Removes the environments that have been idle for `limit`.
    pub fn remove_idle_for(&self, limit: Duration) {
        self.idle().retain(|idle| idle.since.elapsed() < limit);
    }

    async fn handle(
        self: Arc<Self>,
        invocation: Arc<Invocation>,
        mut reply: Reply,
        _concurrency: OwnedSemaphorePermit,
    ) {
        let settings = self.settings();
        let environment = match self.take_idle(&settings) {
            Some(environment) => Ok(environment),
            None => self.start(&settings).await,
        };
        match environment {
            Ok(mut environment) => {
                if environment.invoke(invocation, reply).await {
                    self.keep(environment);
                }
            }
            Err(failure) => {
                eprintln!("infra: {}: {failure}", settings.name);
                reply.send(outcome_of(failure, &invocation.request_id, &settings));
            }
        }
    }

    /// Init that takes too long is tried once more, within the first invocation and under the function's timeout.
    async fn start(&self, settings: &Arc<Settings>) -> Result<Environment, InitFailure> {
        match Environment::start(Arc::clone(settings), &self.reaper, INIT_LIMIT).await {
            Err(InitFailure::TimedOut) => {
                Environment::start(Arc::clone(settings), &self.reaper, settings.timeout).await
            }
            started => started,
        }
    }

    /// The environment that was used last: so the others can grow old and be removed.
    fn take_idle(&self, settings: &Arc<Settings>) -> Option<Environment> {
        let mut idle = self.idle();
        while let Some(Idle { mut environment, .. }) = idle.pop() {
            if environment.is_usable(settings) {
                return Some(environment);
            }
        }
        None
    }

    fn keep(&self, mut environment: Environment) {
        environment.freeze();
        let settings = self.settings();
        let mut idle = self.idle();
        if environment.is_usable(&settings) {
            idle.push(Idle {
                environment,
                since: Instant::now(),
            });
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        // Pushing and popping leave a whole list behind, whatever panics.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outcome_of(failure: InitFailure, request_id: &str, settings: &Settings) -> Outcome {
    match failure {
        InitFailure::Reported(error) => Outcome::error(error),
        InitFailure::TimedOut => Outcome::timed_out(request_id, settings.timeout),
        InitFailure::Exited(_) => {
            Outcome::platform_error(request_id, "Runtime.ExitError", &failure.to_string())
        }
        InitFailure::NotStarted(_) => {
            Outcome::platform_error(request_id, "Runtime.InvalidEntrypoint", &failure.to_string())
        }
    }
}
