//! What `--chaos` asks for, as `kill=P,duplicate=P,throttle=P,drop-response=P,seed=N`: any part of it, in any order.

use std::{fmt, str::FromStr};

use super::Fault;

const SEED: &str = "seed";

/// How often each fault is to happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The probability of each fault, in the order of [`Fault::ALL`]; zero where none is given.
    probabilities: [f64; Fault::ALL.len()],
    /// What all decisions are drawn from, if it is given.
    pub seed: Option<u64>,
}

/// The text is not one of settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSettings {
    /// A part without `=`.
    #[error("{0:?} has no value: give it as KEY=VALUE")]
    NoValue(String),
    /// A key that is neither a fault nor the seed.
    #[error("there is no {0:?}: the keys are kill, duplicate, throttle, drop-response and seed")]
    UnknownKey(String),
    /// A key that was there before.
    #[error("{0} is given twice")]
    Repeated(String),
    /// The value of a fault.
    #[error("{key} is {value:?}, which is no probability from 0 to 1")]
    NoProbability {
        /// The fault.
        key: String,
        /// What is given for it.
        value: String,
    },
    /// The value of the seed.
    #[error("{SEED} is {0:?}, which is no whole number from 0 to {max}", max = u64::MAX)]
    NoSeed(String),
}

impl Settings {
    /// The probability of a fault, from 0 to 1.
    pub fn probability(&self, fault: Fault) -> f64 {
        self.probabilities[fault as usize]
    }
}

impl FromStr for Settings {
    type Err = InvalidSettings;

    fn from_str(text: &str) -> Result<Self, InvalidSettings> {
        let mut settings = Self::default();
        let mut seen = Vec::new();
        for part in text.split(',') {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| InvalidSettings::NoValue(part.to_owned()))?;
            if seen.contains(&key) {
                return Err(InvalidSettings::Repeated(key.to_owned()));
            }
            seen.push(key);
            if key == SEED {
                settings.seed = Some(
                    value
                        .parse()
                        .map_err(|_| InvalidSettings::NoSeed(value.to_owned()))?,
                );
            } else {
                let fault = Fault::ALL.into_iter().find(|fault| fault.key() == key);
                let fault = fault.ok_or_else(|| InvalidSettings::UnknownKey(key.to_owned()))?;
                settings.probabilities[fault as usize] = probability(key, value)?;
            }
        }
        Ok(settings)
    }
}

fn probability(key: &str, value: &str) -> Result<f64, InvalidSettings> {
    match value.parse() {
        Ok(probability) if (0.0..=1.0).contains(&probability) => Ok(probability),
        _ => Err(InvalidSettings::NoProbability {
            key: key.to_owned(),
            value: value.to_owned(),
        }),
    }
}

/// As the command line takes it.
impl fmt::Display for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults = Fault::ALL.map(|fault| format!("{}={}", fault.key(), self.probability(fault)));
        formatter.write_str(&faults.join(","))?;
        match self.seed {
            Some(seed) => write!(formatter, ",{SEED}={seed}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<Settings>().unwrap_err().to_string()
    }

    #[test]
    fn any_part_is_taken_in_any_order() {
        let settings: Settings = "seed=7,drop-response=0.25,kill=1".parse().unwrap();
        assert_eq!(
            settings.to_string(),
            "kill=1,duplicate=0,throttle=0,drop-response=0.25,seed=7"
        );
        assert_eq!("duplicate=1e-3".parse::<Settings>().unwrap().seed, None);
    }

    #[test]
    fn settings_read_back_as_they_are_written() {
        for text in [
            "kill=0.02,duplicate=0,throttle=1,drop-response=0.5,seed=18446744073709551615",
            "kill=0,duplicate=0.1,throttle=0,drop-response=0",
        ] {
            assert_eq!(text.parse::<Settings>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("", "\"\" has no value"),
            ("kill", "\"kill\" has no value"),
            ("kill=0.1,", "\"\" has no value"),
            ("kills=0.1", "there is no \"kills\""),
            ("kill=0.1, throttle=0.1", "there is no \" throttle\""),
            ("kill=0.1,seed=1,kill=0.1", "kill is given twice"),
            ("seed=1,seed=1", "seed is given twice"),
            ("throttle=1.01", "throttle is \"1.01\""),
            ("throttle=-0.01", "throttle is \"-0.01\""),
            ("duplicate=NaN", "duplicate is \"NaN\""),
            ("duplicate=", "duplicate is \"\""),
            ("drop-response=often", "drop-response is \"often\""),
            ("seed=-1", "seed is \"-1\""),
            ("seed=0.5", "seed is \"0.5\""),
        ] {
            assert!(refused(text).starts_with(named), "{text}: {}", refused(text));
        }
    }
}
