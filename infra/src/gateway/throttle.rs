//! Throttling of routes by token buckets
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html>).

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use crate::template::{Throttling, ThrottlingSettings};

/// A bucket for each route that is throttled. A route without settings of its own has the default ones, and its own
/// bucket; whether on AWS such routes share one is not documented.
#[derive(Debug)]
pub(super) struct Throttle {
    settings: ThrottlingSettings,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

impl Throttle {
    pub(super) fn new(settings: ThrottlingSettings) -> Self {
        Self {
            settings,
            buckets: Mutex::default(),
        }
    }

    /// Whether the route may take one more request now.
    pub(super) fn admits(&self, route_key: &str, now: Instant) -> bool {
        let Some(throttling) = self.settings.of(route_key) else {
            return true;
        };
        // A bucket is whole after every step, whatever panics.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry(route_key.to_owned())
            .or_insert_with(|| Bucket::full(throttling, now));
        bucket.take(throttling, now)
    }
}

/// Tokens, of which each request takes one.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn full(throttling: Throttling, now: Instant) -> Self {
        Self {
            tokens: f64::from(throttling.burst),
            filled: now,
        }
    }

    fn take(&mut self, throttling: Throttling, now: Instant) -> bool {
        let new = now.saturating_duration_since(self.filled).as_secs_f64() * throttling.rate;
        self.tokens = (self.tokens + new).min(f64::from(throttling.burst));
        // Requests overtake each other on their way here; no time may be credited twice.
        self.filled = self.filled.max(now);
        let is_enough = self.tokens >= 1.0;
        if is_enough {
            self.tokens -= 1.0;
        }
        is_enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn throttle(default: Option<Throttling>) -> Throttle {
        let routes = BTreeMap::from([("GET /a".to_owned(), Throttling { burst: 2, rate: 10.0 })]);
        Throttle::new(ThrottlingSettings { default, routes })
    }

    fn admitted(throttle: &Throttle, route_key: &str, now: Instant) -> usize {
        (0..100).filter(|_| throttle.admits(route_key, now)).count()
    }

    #[test]
    fn a_burst_is_admitted_and_then_as_many_as_the_rate_allows() {
        let (throttle, now) = (throttle(None), Instant::now());
        assert_eq!(admitted(&throttle, "GET /a", now), 2);
        assert_eq!(admitted(&throttle, "GET /a", now + Duration::from_millis(150)), 1);
        assert_eq!(admitted(&throttle, "GET /a", now + Duration::from_secs(10)), 2);
    }

    #[test]
    fn other_routes_have_the_default_settings_or_none() {
        let now = Instant::now();
        assert_eq!(admitted(&throttle(None), "GET /b", now), 100);
        let throttle = throttle(Some(Throttling { burst: 5, rate: 1.0 }));
        assert_eq!(admitted(&throttle, "GET /b", now), 5);
        assert_eq!(admitted(&throttle, "GET /c", now), 5);
        assert_eq!(admitted(&throttle, "GET /a", now), 2);
    }

    #[test]
    fn a_burst_of_zero_admits_nothing() {
        let throttle = throttle(Some(Throttling { burst: 0, rate: 1.0 }));
        assert_eq!(
            admitted(&throttle, "GET /b", Instant::now() + Duration::from_hours(1)),
            0
        );
    }
}
