//! The REPORT line that Lambda writes to the log at the end of each invocation. It is the only public source of
//! the init duration: its fields are listed at
//! <https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html>.

use std::time::Duration;

use anyhow::{Context, Result, bail};

/// The figures of one REPORT line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReportLine {
    /// How long the handler took.
    pub duration: Duration,
    /// What is paid for: whole milliseconds.
    pub billed: Duration,
    /// The memory that the function has, in MB.
    pub memory_size_mb: u64,
    /// The most memory that the execution environment has used so far, in MB.
    pub max_memory_used_mb: u64,
    /// How long the init phase took; only the first invocation of an execution environment has it.
    pub init_duration: Option<Duration>,
}

impl ReportLine {
    /// Reads the last REPORT line of a log.
    ///
    /// # Errors
    /// Fails when there is none, or when it lacks a figure that every REPORT line has.
    pub fn last_of(log: &str) -> Result<Self> {
        let line = log
            .lines()
            .rev()
            .find(|line| line.starts_with("REPORT "))
            .context("the log has no REPORT line")?;
        let field = |name: &str| {
            line.split('\t')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix(": "))
        };
        let required =
            |name: &str| field(name).with_context(|| format!("the REPORT line has no {name}: {line}"));
        Ok(Self {
            duration: milliseconds(required("Duration")?)?,
            billed: milliseconds(required("Billed Duration")?)?,
            memory_size_mb: quantity(required("Memory Size")?, "MB")?,
            max_memory_used_mb: quantity(required("Max Memory Used")?, "MB")?,
            init_duration: field("Init Duration").map(milliseconds).transpose()?,
        })
    }
}

fn milliseconds(text: &str) -> Result<Duration> {
    let milliseconds: f64 = quantity(text, "ms")?;
    Duration::try_from_secs_f64(milliseconds / 1000.0).with_context(|| format!("not a duration: {text}"))
}

fn quantity<N: std::str::FromStr>(text: &str, unit: &str) -> Result<N> {
    match text
        .split_once(' ')
        .and_then(|(number, found)| (found == unit).then(|| number.parse()))
    {
        Some(Ok(number)) => Ok(number),
        _ => bail!("expected a number of {unit} in the REPORT line, found {text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLD: &str = "REPORT RequestId: 8f5\tDuration: 1.23 ms\tBilled Duration: 5 ms\tMemory Size: 256 MB\t\
                        Max Memory Used: 12 MB\tInit Duration: 3.21 ms\t";

    #[test]
    fn a_cold_invocation_has_an_init_duration() {
        let line = ReportLine::last_of(COLD).unwrap();
        assert_eq!(line.duration, Duration::from_micros(1230));
        assert_eq!(line.init_duration, Some(Duration::from_micros(3210)));
        assert_eq!(line.max_memory_used_mb, 12);
        assert_eq!(
            (line.billed, line.memory_size_mb),
            (Duration::from_millis(5), 256)
        );
    }

    #[test]
    fn a_warm_invocation_has_none() {
        let warm = "REPORT RequestId: 8f5\tDuration: 0.90 ms\tBilled Duration: 1 ms\tMemory Size: 256 MB\tMax Memory Used: 13 MB";
        assert_eq!(ReportLine::last_of(warm).unwrap().init_duration, None);
    }

    #[test]
    fn other_lines_around_it_are_passed_over() {
        let log = format!(
            "START RequestId: 8f5 Version: $LATEST\n{{\"a\":1}}\nEND RequestId: 8f5\n{COLD}\nXRAY TraceId: 1-2\tSampled: true\n"
        );
        assert!(ReportLine::last_of(&log).is_ok());
    }

    #[test]
    fn the_last_of_several_counts() {
        let log = format!("{}\n{COLD}\n", COLD.replace("1.23", "9.87"));
        assert_eq!(
            ReportLine::last_of(&log).unwrap().duration,
            Duration::from_micros(1230)
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = |log: &str| ReportLine::last_of(log).unwrap_err().to_string();
        assert!(error("START\nEND").contains("no REPORT line"));
        assert!(error("REPORT RequestId: 8f5\tDuration: 1.00 ms").contains("Billed Duration"));
        assert!(error(&COLD.replace("1.23 ms", "soon")).contains("\"soon\""));
        assert!(error(&COLD.replace("1.23 ms", "-1 ms")).contains("not a duration"));
    }
}
