//! The extensions of an environment: which there are, what they want, and what they wait for
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>).

use std::time::SystemTime;

use serde_json::{Value, json};

use super::runtime_api::{
    Delivery,
    extensions::{Answer, Refusal, UNKNOWN},
};

/// Extensions that an environment can have
/// (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-extensions.html>).
const MOST: usize = 10;

/// The extensions of an environment.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    registered: Vec<Extension>,
    /// Registration ends with init.
    is_closed: bool,
}

#[derive(Debug)]
struct Extension {
    id: String,
    name: String,
    wants_invocations: bool,
    /// Its open request for its next event.
    waiting: Option<Answer>,
}

impl Extensions {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.registered.is_empty()
    }

    /// No further ones can register.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Registers one, and answers it: with what it wants to know of the function, if it may.
    pub(super) fn register(
        &mut self,
        id: String,
        name: String,
        events: &[String],
        function: Value,
        answer: Answer,
    ) {
        let outcome = self.check(&name, events).map(|()| function);
        if outcome.is_ok() {
            let wants_invocations = events.iter().any(|event| event == "INVOKE");
            self.registered.push(Extension {
                id,
                name,
                wants_invocations,
                waiting: None,
            });
        }
        // An extension that has hung up is gone with its process, which is noticed there.
        let _ = answer.send(outcome);
    }

    fn check(&self, name: &str, events: &[String]) -> Result<(), Refusal> {
        let refuse = |error_type, message| Err(Refusal { error_type, message });
        if self.is_closed {
            return refuse("Extension.RegistrationClosed", "Extension registration is closed");
        }
        if self.registered.iter().any(|extension| extension.name == name) {
            return refuse("Extension.AlreadyRegistered", "Extension already registered");
        }
        if self.registered.len() >= MOST {
            return refuse("Extension.TooManyExtensions", "Extension limit (10) reached");
        }
        if events.iter().any(|event| event == "SHUTDOWN") {
            return refuse(
                "Extension.InvalidEventType",
                "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
            );
        }
        if events.iter().any(|event| event != "INVOKE") {
            return refuse("Extension.InvalidEventType", "ErrorInvalidEventType");
        }
        Ok(())
    }

    /// One asks for its next event.
    pub(super) fn wait(&mut self, id: &str, answer: Answer) {
        match self.registered.iter_mut().find(|extension| extension.id == id) {
            Some(extension) => extension.waiting = Some(answer),
            None => drop(answer.send(Err(UNKNOWN))),
        }
    }

    /// One reports that it cannot go on. Answers whether there is such a one.
    pub(super) fn fail(&self, id: &str, answer: Answer) -> bool {
        let is_known = self.registered.iter().any(|extension| extension.id == id);
        let _ = answer.send(if is_known { Ok(Value::Null) } else { Err(UNKNOWN) });
        is_known
    }

    /// Whether all have asked for their next event.
    pub(super) fn are_ready(&self) -> bool {
        self.registered
            .iter()
            .all(|extension| extension.waiting.is_some())
    }

    /// Tells those that want to know of an invocation.
    pub(super) fn announce(&mut self, delivery: &Delivery) {
        let deadline = delivery
            .deadline
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let event = json!({
            "eventType": "INVOKE",
            "deadlineMs": u64::try_from(deadline).unwrap_or(u64::MAX),
            "requestId": delivery.invocation.request_id,
            "invokedFunctionArn": delivery.function_arn.as_ref(),
            "tracing": {"type": "X-Amzn-Trace-Id", "value": delivery.invocation.trace_id},
        });
        for extension in self
            .registered
            .iter_mut()
            .filter(|extension| extension.wants_invocations)
        {
            if let Some(waiting) = extension.waiting.take() {
                let _ = waiting.send(Ok(event.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// Registers one. Answers its error type, if it was refused.
    fn register(extensions: &mut Extensions, name: &str, events: &[&str]) -> Option<&'static str> {
        let (answer, mut answered) = oneshot::channel();
        let events: Vec<String> = events.iter().map(|event| (*event).to_owned()).collect();
        extensions.register(name.to_owned(), name.to_owned(), &events, Value::Null, answer);
        answered
            .try_recv()
            .unwrap()
            .err()
            .map(|refusal| refusal.error_type)
    }

    /// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>: an internal extension cannot have
    /// the shutdown event, and none can register after init.
    #[test]
    fn registration_has_its_rules() {
        let mut extensions = Extensions::default();
        assert_eq!(register(&mut extensions, "first", &["INVOKE"]), None);
        assert_eq!(
            register(&mut extensions, "first", &[]),
            Some("Extension.AlreadyRegistered")
        );
        assert_eq!(
            register(&mut extensions, "other", &["SHUTDOWN"]),
            Some("Extension.InvalidEventType")
        );
        assert_eq!(
            register(&mut extensions, "other", &["NAP"]),
            Some("Extension.InvalidEventType")
        );
        for name in 1..MOST {
            assert_eq!(register(&mut extensions, &name.to_string(), &[]), None);
        }
        assert_eq!(
            register(&mut extensions, "eleventh", &[]),
            Some("Extension.TooManyExtensions")
        );
        let mut extensions = Extensions::default();
        extensions.close();
        assert_eq!(
            register(&mut extensions, "late", &[]),
            Some("Extension.RegistrationClosed")
        );
    }

    #[test]
    fn all_are_ready_when_each_has_asked_for_its_next_event() {
        let mut extensions = Extensions::default();
        assert!(extensions.are_ready());
        register(&mut extensions, "one", &["INVOKE"]);
        register(&mut extensions, "two", &[]);
        let ask = |extensions: &mut Extensions, id: &str| {
            let (answer, answered) = oneshot::channel();
            extensions.wait(id, answer);
            answered
        };
        let mut of_one = ask(&mut extensions, "one");
        assert!(!extensions.are_ready());
        let mut of_two = ask(&mut extensions, "two");
        assert!(extensions.are_ready());
        extensions.announce(&Delivery {
            invocation: std::sync::Arc::new(super::super::invocation::Invocation::new("1".into())),
            invocation_id: String::new(),
            deadline: SystemTime::UNIX_EPOCH,
            function_arn: "arn".into(),
        });
        assert_eq!(of_one.try_recv().unwrap().unwrap()["eventType"], "INVOKE");
        // It wants no invocations, and is not waited for.
        assert!(of_two.try_recv().is_err());
        assert!(!extensions.are_ready());
        assert_eq!(ask(&mut extensions, "three").try_recv().unwrap(), Err(UNKNOWN));
    }
}
