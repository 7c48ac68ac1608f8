//! The Lambda service.
//!
//! [`function`] decides which execution environment handles an event, [`environment`] is one of them, [`runtime_api`]
//! what its process talks to, [`log`] what it prints. Events come synchronously, by the asynchronous queue
//! ([`asynchronous`]) or from an SQS queue ([`event_source_mapping`]). [`api`] is the service's own API.

pub mod api;
mod asynchronous;
mod environment;
pub mod event_source_mapping;
pub mod function;
pub mod invocation;
mod log;
mod runtime_api;
pub mod settings;

use std::{collections::HashMap, sync::Arc, time::Duration};

use crate::{
    clock::Clock,
    sqs::{NewMessage, Sqs},
};
use function::Function;
use invocation::Invocation;

/// Concurrent invocations that an account may have in a Region, unless more was agreed
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub const ACCOUNT_CONCURRENCY: usize = 1_000;

/// How long an environment is kept that is not used. AWS does not document it; minutes up to an hour have been seen.
const IDLE_TIME: Duration = Duration::from_secs(10 * 60);

/// All functions of the account. Clones are the same service.
#[derive(Clone, Debug)]
pub struct Lambda {
    service: Arc<Service>,
}

#[derive(Debug)]
struct Service {
    functions: HashMap<String, Arc<Function>>,
    sqs: Sqs,
    clock: Clock,
}

impl Lambda {
    /// A service with these functions, by their names. It has to be called within a Tokio runtime.
    pub fn new(functions: HashMap<String, Arc<Function>>, sqs: Sqs, clock: Clock) -> Self {
        for function in functions.values() {
            tokio::spawn(remove_idle(Arc::clone(function), clock.local(IDLE_TIME)));
        }
        Self {
            service: Arc::new(Service {
                functions,
                sqs,
                clock,
            }),
        }
    }

    /// The function of that name.
    pub fn function(&self, name: &str) -> Option<&Arc<Function>> {
        self.service.functions.get(name)
    }

    /// All functions, in no particular order.
    pub fn functions(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.service.functions.values()
    }

    /// Queues an event for a function, to be handled later.
    pub fn invoke_asynchronously(&self, function: &Arc<Function>, invocation: Invocation) {
        asynchronous::accept(self, Arc::clone(function), invocation);
    }

    fn clock(&self) -> Clock {
        self.service.clock
    }

    /// Delivers a message to a destination: a queue, or a function, which gets its body as an event.
    fn deliver(&self, arn: &str, message: NewMessage) {
        let name = arn.rsplit(':').next().unwrap_or_default();
        if let Some(queue) = self.service.sqs.queue_by_arn(arn) {
            if let Err(error) = queue.send(message) {
                eprintln!("infra: cannot deliver to {arn}: {error}");
            }
        } else if let Some(function) = self.function(name).filter(|_| arn.starts_with("arn:aws:lambda:")) {
            self.invoke_asynchronously(function, Invocation::new(message.body.into()));
        } else {
            eprintln!("infra: cannot deliver to {arn}: there is no such queue or function");
        }
    }
}

/// Removes the environments of a function that nobody needs any more. An environment lives a little longer than
/// `limit`: the look comes round four times in it.
async fn remove_idle(function: Arc<Function>, limit: Duration) {
    let mut rounds = tokio::time::interval(limit / 4);
    loop {
        rounds.tick().await;
        function.remove_idle_for(limit);
    }
}
