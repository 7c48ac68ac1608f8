//! What a reader must know before trusting the figures, and what to do about it.

use std::fmt;

use crate::faults::Fault;
use crate::report::format::{count, time};
use crate::results::{Measured, Results};
use crate::variant::Variant;

/// The generator is called late when its 90th percentile exceeds this share of the latency's median.
const LATE_SHARE: f64 = 0.25;

/// A reason for caution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The run was interrupted.
    Interrupted {
        /// During which part.
        during: String,
    },
    /// Something could not be measured, or not to the end.
    Missing {
        /// Of which variant.
        variant: Variant,
        /// What.
        what: String,
    },
    /// Accepted tasks ended otherwise than they should.
    NotSucceeded {
        /// Of which variant.
        variant: Variant,
        /// How many tasks.
        tasks: u64,
    },
    /// Accepted tasks that met a fault never ended.
    Lost {
        /// By which variant.
        variant: Variant,
        /// Which fault.
        fault: Fault,
        /// How many tasks.
        tasks: u64,
    },
    /// The reader's own task did not come to what it should.
    OwnTask {
        /// In which variant.
        variant: Variant,
        /// How often.
        tasks: u64,
        /// Of how many times.
        sent: u64,
    },
    /// In the soak, accepted tasks did not end, or ended twice, or the log does not know of their ends.
    Unreliable {
        /// Of which variant.
        variant: Variant,
        /// How many tasks.
        tasks: u64,
    },
    /// The same task had another result in another variant.
    DifferentPictures,
    /// Requests were not accepted.
    Refused {
        /// By which variant.
        variant: Variant,
        /// At which rate.
        rate_per_second: u32,
        /// How many requests.
        requests: u64,
        /// Of how many.
        sent: u64,
    },
    /// The load generator could not keep its schedule.
    GeneratorLate {
        /// In how many loads.
        loads: usize,
        /// The variant of the worst of them.
        variant: Variant,
        /// The rate of the worst of them.
        rate_per_second: u32,
        /// The 90th percentile of its lateness, in microseconds.
        late_us: u64,
    },
    /// The run was quick.
    FewSamples {
        /// The number of cold starts.
        cold_starts: u32,
    },
}

impl Warning {
    /// Whether the comparison is incomplete or wrong, rather than less exact.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self,
            Self::Interrupted { .. }
                | Self::Missing { .. }
                | Self::NotSucceeded { .. }
                | Self::Lost { .. }
                | Self::OwnTask { .. }
                | Self::Unreliable { .. }
                | Self::DifferentPictures
        )
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted { during } => write!(
                formatter,
                "The run was interrupted: {during}. Of that there may be fewer samples, and nothing of what was to follow."
            ),
            Self::Missing { variant, what } => {
                write!(
                    formatter,
                    "{variant}: {what} could not be measured, or not to the end."
                )
            }
            Self::NotSucceeded { variant, tasks } => write!(
                formatter,
                "{} accepted tasks of {variant} did not succeed. Its figures describe a variant that loses work; \
                 look for the reason in its log first.",
                count(*tasks)
            ),
            Self::Lost {
                variant,
                fault,
                tasks,
            } => write!(
                formatter,
                "{} accepted tasks of {variant} never ended when something broke ({fault}). That must not happen whatever \
                 breaks; look for them in its log.",
                count(*tasks)
            ),
            Self::OwnTask { variant, tasks, sent } => write!(
                formatter,
                "Your task did not succeed in {} of {} times with {variant}. Under Your task stands how it ended; {variant}'s \
                 log says more.",
                count(*tasks),
                count(*sent)
            ),
            Self::Unreliable { variant, tasks } => write!(
                formatter,
                "{} accepted tasks of {variant} did not end, ended twice, or ended unknown to the log, while things broke. \
                 That must not happen whatever breaks; look for them in its log.",
                count(*tasks)
            ),
            Self::DifferentPictures => formatter.write_str(
                "The variants computed different results for the same task: they do not run the same code. \
                 Build them from one commit.",
            ),
            Self::Refused {
                variant,
                rate_per_second,
                requests,
                sent,
            } => write!(
                formatter,
                "{variant} did not accept {} of {} requests at {rate_per_second}/s. Latencies are those of the \
                 accepted ones alone; lower the rate or find the limit that was met.",
                count(*requests),
                count(*sent)
            ),
            Self::GeneratorLate {
                loads,
                variant,
                rate_per_second,
                late_us,
            } => write!(
                formatter,
                "The load generator itself was late in {loads} of the loads, worst with {variant} at \
                 {rate_per_second}/s: {} at the 90th percentile. Lateness counts as latency. Close other programs \
                 and repeat, or take a machine with more cores.",
                time(*late_us)
            ),
            Self::FewSamples { cold_starts } => write!(
                formatter,
                "A quick run: {cold_starts} cold starts and a few seconds of load show the order of magnitude, not \
                 the tail. Run cargo compare without --quick for figures to pass on."
            ),
        }
    }
}

/// The warnings that these results call for, the worst first.
pub fn warnings(results: &Results) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(
        results
            .interrupted
            .clone()
            .map(|during| Warning::Interrupted { during }),
    );
    warnings.extend(results.failures.iter().map(|failure| Warning::Missing {
        variant: failure.variant,
        what: failure.what.clone(),
    }));
    warnings.extend(results.variants().filter_map(not_succeeded));
    warnings.extend(results.variants().flat_map(lost));
    warnings.extend(results.variants().filter_map(own_task));
    warnings.extend(results.variants().filter_map(unreliable));
    let mut pictures = results
        .variants()
        .filter_map(|measured| Some(&measured.check.as_ref()?.picture));
    if let Some(first) = pictures.next()
        && pictures.any(|picture| picture != first)
    {
        warnings.push(Warning::DifferentPictures);
    }
    warnings.extend(results.measured.iter().flat_map(refused));
    warnings.extend(generator_late(results));
    if results.settings.quick {
        warnings.push(Warning::FewSamples {
            cold_starts: results.settings.cold_starts,
        });
    }
    warnings
}

fn not_succeeded(measured: &Measured) -> Option<Warning> {
    let check = measured.check.as_ref()?;
    let tasks = check.accepted - check.succeeded();
    (tasks > 0).then_some(Warning::NotSucceeded {
        variant: measured.variant,
        tasks,
    })
}

fn lost(measured: &Measured) -> impl Iterator<Item = Warning> {
    let runs = measured.faults.iter().filter(|run| run.never_ended > 0);
    runs.map(|run| Warning::Lost {
        variant: measured.variant,
        fault: run.fault,
        tasks: run.never_ended,
    })
}

fn own_task(measured: &Measured) -> Option<Warning> {
    let own = measured.own_task.as_ref()?;
    let tasks = own.not_succeeded();
    (tasks > 0).then_some(Warning::OwnTask {
        variant: measured.variant,
        tasks,
        sent: own.sent,
    })
}

fn unreliable(measured: &Measured) -> Option<Warning> {
    let soak = measured.soak.as_ref()?;
    let tasks = soak.missing + soak.ended_twice + soak.unexplained();
    (tasks > 0).then_some(Warning::Unreliable {
        variant: measured.variant,
        tasks,
    })
}

fn refused(measured: &Measured) -> impl Iterator<Item = Warning> {
    measured
        .load
        .iter()
        .filter(|load| load.accepted < load.sent)
        .map(|load| Warning::Refused {
            variant: measured.variant,
            rate_per_second: load.rate_per_second,
            requests: load.sent - load.accepted,
            sent: load.sent,
        })
}

fn generator_late(results: &Results) -> Option<Warning> {
    let loads = results.measured.iter().flat_map(|measured| {
        measured
            .load
            .iter()
            .map(|load| (load.lateness_us.p90, measured.variant, load))
    });
    let late: Vec<_> = loads
        .filter(|(late, _, load)| *late as f64 > LATE_SHARE * load.accept_us.p50 as f64)
        .collect();
    let (late_us, variant, load) = late.iter().max_by_key(|(late_us, ..)| *late_us)?;
    Some(Warning::GeneratorLate {
        loads: late.len(),
        variant: *variant,
        rate_per_second: load.rate_per_second,
        late_us: *late_us,
    })
}
