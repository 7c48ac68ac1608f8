//! A function: its execution environments, and which of them handles an event.
//!
//! An idle environment is used again; where there is none, one is started, as long as the function's concurrency
//! allows (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html>). Idle ones are frozen, and after a
//! while removed.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};

use super::{
    environment::Environment,
    invocation::{Invocation, Outcome, Reply},
    log::LogFile,
    recursion::Loop,
    settings::Settings,
};
use crate::{
    chaos::{Chaos, Fault},
    logs::LogGroup,
    process::Host,
    say::say,
    template::{self, RecursiveLoop},
};

/// What functions share.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Where their processes are started.
    pub host: Host,
    /// The folder for their log files, if they are wanted.
    pub logs: Option<PathBuf>,
    /// What goes wrong on purpose.
    pub chaos: Chaos,
    /// The concurrency of the functions that have none reserved.
    pub unreserved: Arc<Semaphore>,
}

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
    reserved_concurrency: Option<u32>,
    is_loop_allowed: bool,
    host: Host,
    /// What goes wrong on purpose.
    pub(super) chaos: Chaos,
    log_file: Arc<LogFile>,
}

#[derive(Debug)]
struct Idle {
    environment: Environment,
    since: Instant,
}

/// An event was not accepted for an invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The concurrency of the function, or of the account, is used up. The text is Lambda's.
    #[error("Rate Exceeded.")]
    Throttled {
        /// Whether it is the concurrency that is reserved for the function.
        is_reserved: bool,
    },
    /// The function is in a recursive loop, and the invocation would be one too many.
    #[error(
        "Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped your \
         function's invocation."
    )]
    Recursive,
}

impl Function {
    /// A function without environments. It shares the platform's concurrency with others, unless the template reserves
    /// it some.
    ///
    /// # Errors
    ///
    /// Its log file could not be opened.
    pub fn new(declared: &template::Function, settings: Settings, platform: &Platform) -> io::Result<Self> {
        let reserved = declared.reserved_concurrent_executions;
        let own = reserved.map(|reserved| Arc::new(Semaphore::new(reserved as usize)));
        let log_file = LogFile::open(&settings.name, platform.logs.as_deref())?;
        Ok(Self {
            settings: RwLock::new(Arc::new(settings)),
            asynchronous: declared.asynchronous.clone(),
            dead_letter_target: declared.dead_letter_target.clone(),
            idle: Mutex::default(),
            concurrency: own.unwrap_or_else(|| Arc::clone(&platform.unreserved)),
            reserved_concurrency: reserved,
            is_loop_allowed: declared.recursive_loop == RecursiveLoop::Allow,
            host: platform.host.clone(),
            chaos: platform.chaos.clone(),
            log_file: Arc::new(log_file),
        })
    }

    /// The present configuration.
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What its environments have printed, and what Lambda has added.
    pub fn log_group(&self) -> Arc<LogGroup> {
        Arc::clone(&self.log_file.group)
    }

    /// Whether no invocation is ever possible: concurrency zero is reserved.
    pub fn is_switched_off(&self) -> bool {
        self.reserved_concurrency == Some(0)
    }

    /// Replaces the configuration. Environments of the old one finish what they are at and are not used again. It has
    /// to be called within a Tokio runtime.
    pub fn configure(&self, settings: Settings) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        let idle = std::mem::take(&mut *self.idle());
        shut_down(idle);
    }

    /// Has an event handled. The outcome comes by the channel; the function runs on even if nobody waits for it.
    ///
    /// # Errors
    ///
    /// No environment may be added at present, or the event is one of a recursive loop.
    pub fn invoke(
        self: &Arc<Self>,
        mut invocation: Invocation,
    ) -> Result<oneshot::Receiver<Outcome>, Rejection> {
        self.count(&mut invocation).map_err(|Loop| {
            let (name, id) = (&self.settings().name, &invocation.request_id);
            say!("infra: {name}: recursive loop: invocation {id} is dropped");
            Rejection::Recursive
        })?;
        let permit = Arc::clone(&self.concurrency)
            .try_acquire_owned()
            .map_err(|_| self.throttled())?;
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(Arc::clone(self).handle(Arc::new(invocation), Reply::new(sender), permit));
        Ok(receiver)
    }

    /// The same for an event that waits in a queue: chaos may throttle the attempt.
    ///
    /// # Errors
    ///
    /// As [`Self::invoke`].
    pub(super) fn invoke_from_queue(
        self: &Arc<Self>,
        invocation: Invocation,
    ) -> Result<oneshot::Receiver<Outcome>, Rejection> {
        if self.chaos.throttles_attempt() {
            let (name, id) = (&self.settings().name, &invocation.request_id);
            let what = format!("throttled an attempt of {name} at request {id}");
            self.chaos.inflicted(Fault::Throttle, &what);
            return Err(self.throttled());
        }
        self.invoke(invocation)
    }

    fn throttled(&self) -> Rejection {
        Rejection::Throttled {
            is_reserved: self.reserved_concurrency.is_some(),
        }
    }

    /// Counts the invocation in its chain of requests.
    ///
    /// # Errors
    ///
    /// It is one too many.
    pub(super) fn count(&self, invocation: &mut Invocation) -> Result<(), Loop> {
        invocation.count(&self.settings().arn, self.is_loop_allowed)
    }

    /// Removes the environments that have been idle for `limit`. It has to be called within a Tokio runtime.
    pub fn remove_idle_for(&self, limit: Duration) {
        let old = self
            .idle()
            .extract_if(.., |idle| idle.since.elapsed() >= limit)
            .collect();
        shut_down(old);
    }

    async fn handle(
        self: Arc<Self>,
        invocation: Arc<Invocation>,
        mut reply: Reply,
        _concurrency: OwnedSemaphorePermit,
    ) {
        let settings = self.settings();
        let mut environment = if let Some(idle) = self.take_idle(&settings) {
            idle
        } else {
            let (host, chaos) = (self.host.clone(), self.chaos.clone());
            Environment::start(settings, host, chaos, Arc::clone(&self.log_file)).await
        };
        environment.invoke(&invocation, &mut reply).await;
        self.keep(environment).await;
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

    async fn keep(&self, mut environment: Environment) {
        environment.freeze();
        if let Some(replaced) = self.keep_if_usable(environment) {
            replaced.shut_down().await;
        }
    }

    /// Gives the environment back where its settings were replaced meanwhile.
    fn keep_if_usable(&self, mut environment: Environment) -> Option<Environment> {
        let settings = self.settings();
        let mut idle = self.idle();
        if !environment.is_usable(&settings) {
            return Some(environment);
        }
        idle.push(Idle {
            environment,
            since: Instant::now(),
        });
        None
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        // Pushing and popping leave a whole list behind, whatever panics.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shuts environments down in the background.
fn shut_down(environments: Vec<Idle>) {
    for idle in environments {
        tokio::spawn(idle.environment.shut_down());
    }
}
