//! The pace of the platform's own delays. `--time-scale N` makes retry delays, event ages and idle reaping pass N
//! times faster; what functions and clients can see themselves (timeouts, visibility) is never scaled.

use std::time::Duration;

/// Turns the platform's delays into local ones.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    scale: f64,
}

impl Clock {
    /// A clock on which the platform's time passes `scale` times faster. `scale` is positive.
    pub fn new(scale: f64) -> Self {
        Self { scale }
    }

    /// How long to wait here for what takes `delay` on the platform.
    pub fn local(self, delay: Duration) -> Duration {
        delay.div_f64(self.scale)
    }

    /// How much of the platform's time has passed in `elapsed`.
    pub fn platform(self, elapsed: Duration) -> Duration {
        elapsed.mul_f64(self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_seconds_at_scale_sixty_take_one() {
        let clock = Clock::new(60.0);
        assert_eq!(clock.local(Duration::from_secs(60)), Duration::from_secs(1));
        assert_eq!(clock.platform(Duration::from_secs(1)), Duration::from_secs(60));
    }
}
