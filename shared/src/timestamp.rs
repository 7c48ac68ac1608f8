//! Points in time as the HTTP interface and the store write them: RFC 3339, UTC, microseconds.

use std::{
    fmt,
    ops::{Add, Sub},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use time::{
    OffsetDateTime, PrimitiveDateTime, format_description::StaticFormatDescription,
    macros::format_description,
};

const FORMAT: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");

/// A point in time, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    microseconds_since_epoch: u64,
}

impl Timestamp {
    /// The current time of this machine's clock.
    pub fn now() -> Self {
        // A clock before 1970 reads as 1970: nothing sensible could be recorded, and nothing depends on it.
        Self::at(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    /// The point `since_epoch` after 1970-01-01T00:00:00Z.
    pub fn at(since_epoch: Duration) -> Self {
        Self {
            microseconds_since_epoch: u64::try_from(since_epoch.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// Whole seconds since 1970, the unit of DynamoDB's time to live
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html>).
    pub fn epoch_seconds(self) -> u64 {
        self.microseconds_since_epoch / 1_000_000
    }

    /// Whole milliseconds since 1970, the unit of CloudWatch Logs.
    pub fn epoch_milliseconds(self) -> u64 {
        self.microseconds_since_epoch / 1_000
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self::at(Duration::from_micros(self.microseconds_since_epoch).saturating_add(duration))
    }
}

impl Sub for Timestamp {
    type Output = Duration;

    /// The time from `earlier` to `self`; nothing where `earlier` is the later one.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_micros(
            self.microseconds_since_epoch
                .saturating_sub(earlier.microseconds_since_epoch),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = i128::from(self.microseconds_since_epoch) * 1_000;
        let text = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds)
            .map_err(|_| fmt::Error)?
            .format(FORMAT)
            .map_err(|_| fmt::Error)?;
        formatter.write_str(&text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = PrimitiveDateTime::parse(&text, FORMAT)
            .map_err(D::Error::custom)?
            .assume_utc();
        let microseconds = u64::try_from(time.unix_timestamp_nanos() / 1_000).map_err(D::Error::custom)?;
        Ok(Self {
            microseconds_since_epoch: microseconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_rfc_3339_with_microseconds_and_read_back() {
        let time = Timestamp::at(Duration::new(1_764_000_000, 42_000));
        let text = serde_json::to_string(&time).unwrap();
        assert_eq!(text, r#""2025-11-24T16:00:00.000042Z""#);
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), time);
    }

    #[test]
    fn another_format_is_refused() {
        for text in [r#""2025-11-24""#, r#""2025-11-24T16:00:00.000042+01:00""#, "17"] {
            assert!(serde_json::from_str::<Timestamp>(text).is_err(), "{text}");
        }
    }
}
