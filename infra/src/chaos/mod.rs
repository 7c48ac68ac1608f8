//! Faults on purpose (`--chaos`): environments that are killed, deliveries that come twice, calls that are throttled,
//! responses that are lost. AWS does all of it, seldom; here it happens as often as one likes, and again by its seed.
//!
//! [`Chaos`] only decides, counts and says so on standard error. Each fault is carried out where it arises on AWS, on the
//! same way as a real one: by [`lambda`](crate::lambda) and by the AWS [`endpoint`](crate::endpoint).

mod draw;
mod settings;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use self::draw::{Draw, draw};
pub use self::settings::{InvalidSettings, Settings};
use crate::say::say;

/// How long after its event was delivered an environment is killed, at the earliest and at the latest. The logarithms
/// are evenly distributed, because what functions do takes from milliseconds to seconds.
const KILLED_AFTER: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

/// How long after the original a duplicate comes, at the latest.
const DUPLICATED_WITHIN: Duration = Duration::from_secs(2);

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An execution environment is killed during an invocation, or a container that was handed work.
    Kill,
    /// An event or a message is delivered once more.
    Duplicate,
    /// A call or an invocation is throttled.
    Throttle,
    /// The response to a call is lost.
    DropResponse,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kill, Self::Duplicate, Self::Throttle, Self::DropResponse];

    /// Its name on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Duplicate => "duplicate",
            Self::Throttle => "throttle",
            Self::DropResponse => "drop-response",
        }
    }
}

/// What is decided. Each has draws of its own.
#[derive(Clone, Copy, Debug)]
enum Decision {
    KillEnvironment,
    KillContainer,
    DuplicateEvent,
    DuplicateMessage,
    ThrottleCall,
    ThrottleAttempt,
    DropResponse,
}

impl Decision {
    const COUNT: usize = Self::DropResponse as usize + 1;

    fn fault(self) -> Fault {
        match self {
            Self::KillEnvironment | Self::KillContainer => Fault::Kill,
            Self::DuplicateEvent | Self::DuplicateMessage => Fault::Duplicate,
            Self::ThrottleCall | Self::ThrottleAttempt => Fault::Throttle,
            Self::DropResponse => Fault::DropResponse,
        }
    }

    /// What its draws are made from: part of what a seed means.
    fn name(self) -> &'static str {
        match self {
            Self::KillEnvironment => "kill environment",
            Self::KillContainer => "kill container",
            Self::DuplicateEvent => "duplicate event",
            Self::DuplicateMessage => "duplicate message",
            Self::ThrottleCall => "throttle call",
            Self::ThrottleAttempt => "throttle attempt",
            Self::DropResponse => "drop response",
        }
    }
}

/// Who decides where something goes wrong. Clones decide together; by default nothing goes wrong.
#[derive(Clone, Debug, Default)]
pub struct Chaos(Option<Arc<State>>);

#[derive(Debug)]
struct State {
    settings: Settings,
    seed: u64,
    /// How many decisions of each kind there were.
    decided: [AtomicU64; Decision::COUNT],
    /// How many faults of each kind there were.
    inflicted: [AtomicU64; Fault::ALL.len()],
}

impl Chaos {
    /// Faults as often as the settings say, from a seed of its own where they have none.
    pub fn new(mut settings: Settings) -> Self {
        let random = || u64::from(uuid::Uuid::new_v4().as_fields().0);
        let seed = *settings.seed.get_or_insert_with(random);
        Self(Some(Arc::new(State {
            settings,
            seed,
            decided: Default::default(),
            inflicted: Default::default(),
        })))
    }

    /// Says what is to be expected, and how to have it again.
    pub fn announce(&self) {
        if let Some(state) = &self.0 {
            say!("infra: chaos: --chaos {}", state.settings);
        }
    }

    /// Says how many faults there were.
    pub fn announce_totals(&self) {
        if let Some(state) = &self.0 {
            let total = |fault: Fault| state.inflicted[fault as usize].load(Ordering::Relaxed);
            let totals = Fault::ALL.map(|fault| format!("{}={}", fault.key(), total(fault)));
            say!("infra: chaos: totals: {}", totals.join(","));
        }
    }

    /// Whether the environment of an invocation is killed, and how long after its event was delivered.
    pub(crate) fn kills_environment(&self) -> Option<Duration> {
        self.kills(Decision::KillEnvironment)
    }

    /// Whether a container is killed, and how long after it was handed work.
    pub(crate) fn kills_container(&self) -> Option<Duration> {
        self.kills(Decision::KillContainer)
    }

    fn kills(&self, decision: Decision) -> Option<Duration> {
        let (earliest, latest) = KILLED_AFTER;
        let range = latest.div_duration_f64(earliest);
        let moment = self.decide(decision)?;
        Some(earliest.mul_f64(range.powf(moment)))
    }

    /// Whether an asynchronous event is put into its queue once more, and how much later, in the platform's time.
    pub(crate) fn duplicates_event(&self) -> Option<Duration> {
        let moment = self.decide(Decision::DuplicateEvent)?;
        Some(DUPLICATED_WITHIN.mul_f64(moment))
    }

    /// Whether a message survives its deletion, and how much later it is visible.
    pub(crate) fn duplicates_message(&self) -> Option<Duration> {
        let moment = self.decide(Decision::DuplicateMessage)?;
        Some(DUPLICATED_WITHIN.mul_f64(moment))
    }

    /// Whether a call of a function is refused.
    pub(crate) fn throttles_call(&self) -> bool {
        self.decide(Decision::ThrottleCall).is_some()
    }

    /// Whether an attempt to invoke a function with what waits in a queue is refused.
    pub(crate) fn throttles_attempt(&self) -> bool {
        self.decide(Decision::ThrottleAttempt).is_some()
    }

    /// Whether the response to a call of a function is lost.
    pub(crate) fn drops_response(&self) -> bool {
        self.decide(Decision::DropResponse).is_some()
    }

    /// Counts a fault that was inflicted, and says what it was.
    pub(crate) fn inflicted(&self, fault: Fault, what: &str) {
        if let Some(state) = &self.0 {
            state.inflicted[fault as usize].fetch_add(1, Ordering::Relaxed);
            say!("infra: chaos: {what}");
        }
    }

    /// The moment of the fault, from 0 to 1, where there is one.
    fn decide(&self, decision: Decision) -> Option<f64> {
        let state = self.0.as_ref()?;
        let ordinal = state.decided[decision as usize].fetch_add(1, Ordering::Relaxed);
        let Draw { chance, moment } = draw(state.seed, decision.name(), ordinal);
        (chance < state.settings.probability(decision.fault())).then_some(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chaos(settings: &str) -> Chaos {
        Chaos::new(settings.parse().unwrap())
    }

    fn throttled(chaos: &Chaos, calls: usize) -> Vec<bool> {
        (0..calls).map(|_| chaos.throttles_call()).collect()
    }

    #[test]
    fn nothing_goes_wrong_by_default() {
        let chaos = Chaos::default();
        assert_eq!(chaos.kills_environment(), None);
        assert_eq!(chaos.duplicates_event(), None);
        assert!(!chaos.throttles_call() && !chaos.drops_response());
    }

    #[test]
    fn what_is_certain_happens_always_and_what_is_impossible_never() {
        let chaos = chaos("throttle=1,drop-response=0");
        for _ in 0..1_000 {
            assert!(chaos.throttles_call() && chaos.throttles_attempt() && !chaos.drops_response());
        }
    }

    #[test]
    fn faults_are_as_frequent_as_they_should_be() {
        const DECISIONS: usize = 20_000;
        for probability in [0.02, 0.3, 0.9] {
            let chaos = chaos(&format!("throttle={probability},seed=1"));
            let hits = throttled(&chaos, DECISIONS).iter().filter(|hit| **hit).count();
            let share = hits as f64 / DECISIONS as f64;
            // Five standard deviations.
            let tolerance = 5.0 * (probability * (1.0 - probability) / DECISIONS as f64).sqrt();
            assert!((share - probability).abs() < tolerance, "{probability}: {share}");
        }
    }

    #[test]
    fn the_same_seed_decides_in_the_same_way_whatever_else_is_decided() {
        let expected = throttled(&chaos("throttle=0.5,seed=7"), 100);
        let other = chaos("kill=0.5,throttle=0.5,drop-response=0.5,seed=7");
        let decided: Vec<bool> = (0..100)
            .map(|_| {
                other.kills_environment();
                other.drops_response();
                other.throttles_attempt();
                other.throttles_call()
            })
            .collect();
        assert_eq!(decided, expected);
        assert_ne!(throttled(&chaos("throttle=0.5,seed=8"), 100), expected);
        assert_ne!(
            throttled(&chaos("throttle=0.5"), 100),
            throttled(&chaos("throttle=0.5"), 100)
        );
    }

    #[test]
    fn a_third_of_the_kills_comes_in_each_order_of_magnitude() {
        let chaos = chaos("kill=1,seed=1");
        let delays: Vec<Duration> = (0..3_000).map(|_| chaos.kills_environment().unwrap()).collect();
        for (from, to) in [(1, 10), (10, 100), (100, 1_000)] {
            let range = Duration::from_millis(from)..Duration::from_millis(to);
            let inside = delays.iter().filter(|delay| range.contains(*delay)).count();
            assert!((850..1_150).contains(&inside), "{from} to {to} ms: {inside}");
        }
    }

    #[test]
    fn a_duplicate_comes_within_two_seconds() {
        let chaos = chaos("duplicate=1,seed=1");
        let delays: Vec<Duration> = (0..1_000).map(|_| chaos.duplicates_event().unwrap()).collect();
        assert!(delays.iter().all(|delay| *delay < Duration::from_secs(2)));
        assert!(delays.iter().any(|delay| *delay > Duration::from_millis(1_900)));
    }
}
