//! Distributions: how often which value was measured, and the figures that are read off.
//!
//! Values are recorded in an HDR histogram with three significant digits (<https://hdrhistogram.org>), so none is
//! off by more than 0.1 %, however long the tail. A quantile is the smallest recorded value that at least that
//! share of the samples does not exceed: the inverse of the empirical distribution function, type 1 in Hyndman and
//! Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996), 361-365.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const SIGNIFICANT_DIGITS: u8 = 3;

/// What was measured of one quantity. The unit is the owner's; never empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distribution {
    /// Number of samples.
    pub count: u64,
    /// The smallest sample.
    pub min: u64,
    /// The lower quartile.
    pub p25: u64,
    /// The median.
    pub p50: u64,
    /// The upper quartile.
    pub p75: u64,
    /// The 90th percentile.
    pub p90: u64,
    /// The 99th percentile; absent below 100 samples, which cannot show it.
    pub p99: Option<u64>,
    /// The 99.9th percentile; absent below 1,000 samples.
    #[serde(rename = "p99.9")]
    pub p99_9: Option<u64>,
    /// The largest sample.
    pub max: u64,
    /// Every recorded value with the number of samples that had it, in ascending order.
    pub recorded: Vec<(u64, u64)>,
}

impl Distribution {
    /// The distribution of the given samples.
    ///
    /// # Errors
    /// Fails when there is no sample.
    pub fn of(samples: impl IntoIterator<Item = u64>) -> Result<Self> {
        let mut histogram =
            Histogram::<u64>::new(SIGNIFICANT_DIGITS).context("cannot make a histogram of three digits")?;
        for sample in samples {
            histogram.record(sample).context("a sample is out of range")?;
        }
        ensure!(!histogram.is_empty(), "nothing was measured");
        let recorded: Vec<(u64, u64)> = histogram
            .iter_recorded()
            .map(|step| {
                (
                    histogram.median_equivalent(step.value_iterated_to()),
                    step.count_at_value(),
                )
            })
            .collect();
        let count = histogram.len();
        let at = |quantile| quantile_of(&recorded, count, quantile);
        Ok(Self {
            count,
            min: at(0.0),
            p25: at(0.25),
            p50: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p99: (count >= 100).then(|| at(0.99)),
            p99_9: (count >= 1000).then(|| at(0.999)),
            max: at(1.0),
            recorded,
        })
    }

    /// The steps of the distribution function: each recorded value, and the share of the samples that do not exceed
    /// it; the last share is 1.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        let mut seen = 0;
        self.recorded.iter().map(move |&(value, count)| {
            seen += count;
            (value, seen as f64 / self.count as f64)
        })
    }
}

/// How often each value comes.
pub fn counts<T: Ord>(values: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

fn quantile_of(recorded: &[(u64, u64)], count: u64, quantile: f64) -> u64 {
    let mut seen = 0;
    for &(value, times) in recorded {
        seen += times;
        // A hair of tolerance, because 0.999 * 1000 is a little more than 999 in floating point.
        if seen as f64 + 1e-9 >= quantile * count as f64 {
            return value;
        }
    }
    recorded.last().map_or(0, |&(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_recorded_values_at_the_nearest_rank() {
        let distribution = Distribution::of([15, 20, 35, 40, 50]).unwrap();
        assert_eq!(distribution.count, 5);
        assert_eq!((distribution.min, distribution.max), (15, 50));
        assert_eq!(
            (distribution.p25, distribution.p50, distribution.p75),
            (20, 35, 40)
        );
        assert_eq!(distribution.p90, 50);
    }

    #[test]
    fn the_order_of_samples_does_not_matter() {
        assert_eq!(
            Distribution::of([3, 1, 2]).unwrap(),
            Distribution::of([1, 2, 3]).unwrap()
        );
    }

    #[test]
    fn a_percentile_needs_enough_samples_to_lie_below_the_largest() {
        let few = Distribution::of(1..=99).unwrap();
        let some = Distribution::of(1..=100).unwrap();
        let many = Distribution::of(1..=1000).unwrap();
        assert_eq!((few.p99, some.p99, some.p99_9), (None, Some(99), None));
        assert_eq!((many.p99, many.p99_9, many.max), (Some(990), Some(999), 1000));
    }

    #[test]
    fn large_values_keep_three_digits() {
        let distribution = Distribution::of([12_345_678]).unwrap();
        let error = distribution.p50.abs_diff(12_345_678) as f64 / 12_345_678.0;
        assert!(error < 0.001, "{}", distribution.p50);
    }

    #[test]
    fn equal_samples_are_recorded_once_with_their_number() {
        assert_eq!(Distribution::of([0, 7, 7, 7]).unwrap().recorded, [(0, 1), (7, 3)]);
    }

    #[test]
    fn the_distribution_function_rises_to_one() {
        let points: Vec<_> = Distribution::of([5, 5, 9, 9]).unwrap().cumulative().collect();
        assert_eq!(points, [(5, 0.5), (9, 1.0)]);
    }

    #[test]
    fn no_samples_is_an_error() {
        assert!(Distribution::of([]).is_err());
    }
}
