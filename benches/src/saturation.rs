//! The rate at which a way saturates: requests a second, step by step more, until it no longer keeps up; and what gave
//! first.

use std::collections::BTreeMap;

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::load::Schedule;
use crate::progress::say;
use crate::results::Load;
use crate::target::Target;
use crate::warm::Loads;

/// How long each rate is kept up, in seconds.
const SECONDS: u32 = 3;

/// No way is driven beyond so many steps.
const STEPS: usize = 10;

/// A rate is not kept up when accepting takes longer than this at the 90th percentile, in microseconds: requests wait
/// for each other then, for any of these takes a few milliseconds when it is alone.
const SLOW_ACCEPT_US: u64 = 250_000;

/// The same for starting: tasks wait for each other.
const SLOW_START_US: u64 = 1_000_000;

/// How far a way can be driven.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Saturation {
    /// The rates that were tried, in ascending order, as far as their tasks ended.
    pub steps: Vec<Step>,
    /// The highest rate that was kept up; 0 where none was.
    pub sustained_per_second: u32,
    /// The lowest that was not; `None` where every rate was kept up.
    pub first_missed_per_second: Option<u32>,
    /// What gave first at the rate above it; `None` where every rate was kept up.
    pub gave_first: Option<Limit>,
}

/// One rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Requests a second.
    pub rate_per_second: u32,
    /// Requests sent.
    pub sent: u64,
    /// Requests accepted.
    pub accepted: u64,
    /// Requests not accepted, by reason.
    pub refused: BTreeMap<String, u64>,
    /// The 90th percentile of accepting.
    pub accept_p90_us: u64,
    /// The 90th percentile from accepted to started; `None` where tasks are not followed.
    pub start_p90_us: Option<u64>,
}

/// Why a rate was not kept up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// More than one request in a hundred was refused.
    Refused,
    /// Accepting took long: requests waited for each other.
    SlowAccept,
    /// Starting took long: accepted tasks waited for each other.
    SlowStart,
    /// The load generator itself was late.
    Generator,
    /// Accepted tasks had not ended a minute later.
    TasksLeft,
    /// The records of accepted tasks could not be read.
    Unreadable,
}

impl Step {
    fn of(load: &Load) -> Self {
        Self {
            rate_per_second: load.rate_per_second,
            sent: load.sent,
            accepted: load.accepted,
            refused: load.refused.clone(),
            accept_p90_us: load.accept_us.p90,
            start_p90_us: load.task.as_ref().map(|task| task.accepted_to_started_us.p90),
        }
    }

    fn gave(&self, lateness_p90_us: u64) -> Option<Limit> {
        if (self.sent - self.accepted) * 100 > self.sent {
            Some(Limit::Refused)
        } else if lateness_p90_us > SLOW_ACCEPT_US / 2 {
            Some(Limit::Generator)
        } else if self.accept_p90_us > SLOW_ACCEPT_US {
            Some(Limit::SlowAccept)
        } else if self.start_p90_us.is_some_and(|start| start > SLOW_START_US) {
            Some(Limit::SlowStart)
        } else {
            None
        }
    }
}

impl Saturation {
    /// Takes in what became of one rate: its load or, where there is none, why.
    fn tried(&mut self, rate_per_second: u32, became: Result<&Load, Limit>) {
        self.gave_first = match became {
            Ok(load) => {
                let step = Step::of(load);
                let gave = step.gave(load.lateness_us.p90);
                self.steps.push(step);
                gave
            }
            Err(limit) => Some(limit),
        };
        if self.gave_first.is_none() {
            self.sustained_per_second = rate_per_second;
        } else {
            self.first_missed_per_second = Some(rate_per_second);
        }
    }
}

/// Drives a deployment harder and harder, beginning at this rate.
pub async fn measure(target: &Target, from_per_second: u32) -> Saturation {
    let mut saturation = Saturation::default();
    let mut rate_per_second = from_per_second;
    while saturation.steps.len() < STEPS && saturation.gave_first.is_none() {
        let became = drive(target, rate_per_second).await;
        if let Err((_, error)) = &became {
            say(&format!(
                "{}: {rate_per_second} requests/s: {error:#}",
                target.variant
            ));
        }
        saturation.tried(rate_per_second, became.as_ref().map_err(|(limit, _)| *limit));
        rate_per_second = next(rate_per_second);
    }
    saturation
}

/// The load at one rate; or what gave so far that there are no figures of it.
async fn drive(target: &Target, rate_per_second: u32) -> Result<Load, (Limit, anyhow::Error)> {
    let mut loads = Loads::default();
    let schedule = Schedule {
        rate_per_second,
        seconds: SECONDS,
    };
    let added = loads.add(target, schedule).await;
    added.map_err(|error| (Limit::Unreadable, error))?;
    if loads.not_ended() > 0 {
        let error = anyhow!("accepted tasks have not ended");
        return Err((Limit::TasksLeft, error));
    }
    // There are none when no request was accepted.
    let (mut figures, failed) = loads.figures();
    failed.map_err(|error| (Limit::Refused, error))?;
    figures
        .pop()
        .ok_or_else(|| (Limit::Refused, anyhow!("no request was sent")))
}

/// Half as much again, to two digits.
fn next(rate_per_second: u32) -> u32 {
    let more = rate_per_second * 3 / 2;
    let mut unit = 1;
    while more / unit >= 100 {
        unit *= 10;
    }
    ((more + unit / 2) / unit * unit).max(rate_per_second + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(accepted: u64, accept_p90_us: u64, start_p90_us: Option<u64>) -> Step {
        Step {
            rate_per_second: 100,
            sent: 300,
            accepted,
            refused: BTreeMap::new(),
            accept_p90_us,
            start_p90_us,
        }
    }

    #[test]
    fn a_rate_that_is_kept_up_gives_nowhere() {
        assert_eq!(step(298, 9_000, Some(20_000)).gave(100), None);
        assert_eq!(step(300, 9_000, None).gave(100), None);
    }

    #[test]
    fn what_gives_first_is_named() {
        assert_eq!(step(290, 9_000, None).gave(100), Some(Limit::Refused));
        assert_eq!(step(300, 400_000, None).gave(100), Some(Limit::SlowAccept));
        assert_eq!(
            step(300, 9_000, Some(2_000_000)).gave(100),
            Some(Limit::SlowStart)
        );
        assert_eq!(step(300, 400_000, None).gave(390_000), Some(Limit::Generator));
    }

    #[test]
    fn tasks_that_do_not_end_are_a_limit_as_well() {
        let mut saturation = Saturation::default();
        saturation.tried(150, Err(Limit::TasksLeft));
        assert_eq!(saturation.gave_first, Some(Limit::TasksLeft));
        assert_eq!(saturation.first_missed_per_second, Some(150));
        assert_eq!(saturation.sustained_per_second, 0);
    }

    #[test]
    fn rates_grow_by_half_in_round_numbers() {
        let mut rates = vec![100];
        for _ in 0..6 {
            rates.push(next(rates[rates.len() - 1]));
        }
        assert_eq!(rates, [100, 150, 230, 350, 530, 800, 1200]);
        assert_eq!(next(1), 2);
    }
}
