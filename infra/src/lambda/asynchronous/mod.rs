//! The queue of asynchronous invocations: accepted at once, handled later, tried again, given up at last
//! (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>). What is then sent on, and in
//! which form, is the matter of [`record`].
//!
//! AWS does not say how long an event waits in its queue before the first attempt; here it does not wait at all. On AWS
//! an event may come twice without an error; here it does if chaos wants it to.

mod record;

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use self::record::{Condition, Record};
use super::{
    Lambda,
    function::{Function, Rejection},
    invocation::{Invocation, Outcome},
};
use crate::{chaos::Fault, say::say};

/// The waits before the first and the second retry after a function error.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// The shortest and the longest wait after a throttle.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// An event that was accepted.
struct Event {
    function: Arc<Function>,
    invocation: Invocation,
    accepted: Instant,
    /// How many times the function was invoked with it.
    attempts: u32,
    /// How often in a row it was throttled.
    throttles: u32,
    last: Option<Result<Outcome, Rejection>>,
}

/// Accepts the event and sees to it in the background.
pub(super) fn accept(lambda: &Lambda, function: Arc<Function>, invocation: Invocation) {
    if let Some(delay) = function.chaos.duplicates_event() {
        let (function, invocation) = (Arc::clone(&function), invocation.clone());
        tokio::spawn(accept_once_more(lambda.clone(), function, invocation, delay));
    }
    tokio::spawn(Event::new(function, invocation).run(lambda.clone()));
}

/// Accepts a duplicate of an event, which has retries of its own, `delay` later.
async fn accept_once_more(lambda: Lambda, function: Arc<Function>, invocation: Invocation, delay: Duration) {
    sleep(lambda.clock().local(delay)).await;
    let (name, id) = (&function.settings().name, &invocation.request_id);
    let what = format!("duplicated event {id} of {name}");
    function.chaos.inflicted(Fault::Duplicate, &what);
    Event::new(function, invocation).run(lambda).await;
}

impl Event {
    fn new(function: Arc<Function>, invocation: Invocation) -> Self {
        Self {
            function,
            invocation,
            accepted: Instant::now(),
            attempts: 0,
            throttles: 0,
            last: None,
        }
    }

    async fn run(mut self, lambda: Lambda) {
        let condition = if self.function.is_switched_off() {
            Condition::ZeroReservedConcurrency
        } else {
            self.attempt_until_settled(&lambda).await
        };
        self.retain(&lambda, condition);
    }

    async fn attempt_until_settled(&mut self, lambda: &Lambda) -> Condition {
        loop {
            let wait = match self.attempt().await {
                ControlFlow::Continue(wait) => wait,
                ControlFlow::Break(condition) => return condition,
            };
            let age = lambda.clock().platform(self.accepted.elapsed());
            // AWS does not say when it looks at the age. Other emulators, which compare themselves with it, give an
            // event up as soon as it is certain to be too old for its next attempt.
            if age + wait >= self.function.asynchronous.maximum_event_age {
                return Condition::EventAgeExceeded;
            }
            sleep(lambda.clock().local(wait)).await;
        }
    }

    /// One attempt. Answers how long to wait before the next one, or why there will be none.
    async fn attempt(&mut self) -> ControlFlow<Condition, Duration> {
        match self.function.invoke_from_queue(self.invocation.clone()) {
            Ok(outcome) => {
                self.attempts += 1;
                self.throttles = 0;
                let id = &self.invocation.request_id;
                let gone = || Outcome::platform_error(id, "Runtime.Unknown", "the environment is gone");
                let outcome = outcome.await.unwrap_or_else(|_| gone());
                let has_failed = outcome.function_error.is_some();
                self.last = Some(Ok(outcome));
                if has_failed {
                    self.retry()
                } else {
                    ControlFlow::Break(Condition::Success)
                }
            }
            Err(rejection @ Rejection::Throttled { .. }) => {
                self.last = Some(Err(rejection));
                self.throttles += 1;
                ControlFlow::Continue(back_off(self.throttles))
            }
            Err(rejection @ Rejection::Recursive) => {
                self.last = Some(Err(rejection));
                ControlFlow::Break(Condition::RecursiveInvocation)
            }
        }
    }

    fn retry(&self) -> ControlFlow<Condition, Duration> {
        let retries = self.attempts.saturating_sub(1);
        if retries >= u32::from(self.function.asynchronous.maximum_retry_attempts) {
            return ControlFlow::Break(Condition::RetriesExhausted);
        }
        ControlFlow::Continue(RETRY_DELAYS[(retries as usize).min(RETRY_DELAYS.len() - 1)])
    }

    /// Sends the event where the function's configuration wants it.
    fn retain(&self, lambda: &Lambda, condition: Condition) {
        let settings = self.function.settings();
        // What follows from the event belongs to the chain of requests that the invocation was in.
        let mut invocation = self.invocation.clone();
        let _ = self.function.count(&mut invocation);
        let record = Record {
            invocation: &invocation,
            function_arn: &settings.arn,
            condition,
            attempts: self.attempts,
            last: self.last.as_ref(),
        };
        let destinations = &self.function.asynchronous;
        let is_success = condition == Condition::Success;
        let destination = if is_success {
            &destinations.on_success
        } else {
            &destinations.on_failure
        };
        if let Some(arn) = destination {
            lambda.deliver(arn, record.to_destination());
        }
        if let Some(arn) = self.function.dead_letter_target.as_ref().filter(|_| !is_success) {
            lambda.deliver(arn, record.to_dead_letter_queue());
        }
        if !is_success {
            say!(
                "infra: {}: event {} is given up: {condition}",
                settings.name,
                invocation.request_id
            );
        }
    }
}

/// The wait after that many throttles in a row. AWS documents its shortest and its longest and that it grows
/// exponentially.
fn back_off(throttles: u32) -> Duration {
    let factor = 2_u32.saturating_pow(throttles.saturating_sub(1));
    BACK_OFF.0.saturating_mul(factor).min(BACK_OFF.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_after_a_throttle_doubles_from_one_second_to_five_minutes() {
        let waits: Vec<u64> = (1..=11).map(|throttles| back_off(throttles).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(back_off(u32::MAX), BACK_OFF.1);
    }
}
