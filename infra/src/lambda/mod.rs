//! The Lambda service.
//!
//! [`function`] decides which execution environment handles an event. [`environment`] is one of them, [`runtime`] the
//! process in it, with its [`extensions`], [`runtime_api`] what that process talks to, [`log`] what it prints,
//! [`failure`] what can go wrong. Events come synchronously, by the asynchronous queue ([`asynchronous`]) or from an SQS
//! queue ([`event_source_mapping`]); [`recursion`] counts those that follow from each other. [`api`] is the service's
//! own API.

pub mod api;
mod asynchronous;
mod environment;
pub mod event_source_mapping;
mod extensions;
mod failure;
pub mod function;
pub mod invocation;
mod log;
mod recursion;
mod runtime;
mod runtime_api;
pub mod settings;

use std::{collections::HashMap, sync::Arc, time::Duration};

use crate::{
    clock::Clock,
    say::say,
    sqs::{NewMessage, Sqs},
};
use function::Function;
use invocation::Invocation;
use recursion::Lineage;

/// Concurrent invocations that an account may have in a Region, unless more was agreed
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub const ACCOUNT_CONCURRENCY: u32 = 1_000;

/// The largest event of a synchronous invocation, in bytes (same source).
pub const LARGEST_EVENT: usize = 6 * 1024 * 1024;

/// How often, at most, environments are looked at that nobody needs any more.
const SHORTEST_ROUND: Duration = Duration::from_millis(10);

/// All functions of the account. Clones are the same service.
#[derive(Clone, Debug)]
pub struct Lambda {
    service: Arc<Service>,
}

/// Where the service is, and the pace of its own delays.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The Region.
    pub region: String,
    /// The account that owns the functions.
    pub account_id: String,
    /// How fast its own delays pass.
    pub clock: Clock,
    /// How long an environment is kept that is not used, in the platform's time. AWS does not document its own; minutes
    /// up to an hour have been seen.
    pub idle_timeout: Duration,
}

#[derive(Debug)]
struct Service {
    functions: HashMap<String, Arc<Function>>,
    sqs: Sqs,
    configuration: Configuration,
}

impl Lambda {
    /// A service with these functions, by their names. It has to be called within a Tokio runtime.
    pub fn new(functions: HashMap<String, Arc<Function>>, sqs: Sqs, configuration: Configuration) -> Self {
        for function in functions.values() {
            let limit = configuration.clock.local(configuration.idle_timeout);
            tokio::spawn(remove_idle(Arc::clone(function), limit));
        }
        Self {
            service: Arc::new(Service {
                functions,
                sqs,
                configuration,
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
        self.service.configuration.clock
    }

    /// The Region and the account of the functions.
    fn location(&self) -> (&str, &str) {
        (
            &self.service.configuration.region,
            &self.service.configuration.account_id,
        )
    }

    /// Delivers a message to a destination: a queue, or a function, which gets its body as an event. Its trace header
    /// goes with it.
    fn deliver(&self, arn: &str, message: NewMessage) {
        let name = arn.rsplit(':').next().unwrap_or_default();
        if let Some(queue) = self.service.sqs.queue_by_arn(arn) {
            if let Err(error) = queue.send(message) {
                say!("infra: cannot deliver to {arn}: {error}");
            }
        } else if let Some(function) = self.function(name).filter(|_| arn.starts_with("arn:aws:lambda:")) {
            let mut invocation = Invocation::new(message.body.into());
            invocation.follow(&Lineage::of(&message.trace_header.unwrap_or_default()));
            self.invoke_asynchronously(function, invocation);
        } else {
            say!("infra: cannot deliver to {arn}: there is no such queue or function");
        }
    }
}

/// Removes the environments of a function that nobody needs any more. An environment lives a little longer than
/// `limit`: the look comes round four times in it.
async fn remove_idle(function: Arc<Function>, limit: Duration) {
    let mut rounds = tokio::time::interval((limit / 4).max(SHORTEST_ROUND));
    loop {
        rounds.tick().await;
        function.remove_idle_for(limit);
    }
}
