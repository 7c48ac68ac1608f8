//! How figures are written: three significant digits at most, with their unit.

/// A time given in microseconds.
pub fn time(microseconds: u64) -> String {
    let milliseconds = microseconds as f64 / 1000.0;
    match milliseconds {
        ..9.995 => format!("{milliseconds:.2} ms"),
        ..99.95 => format!("{milliseconds:.1} ms"),
        ..9_999.5 => format!("{} ms", count((microseconds + 500) / 1000)),
        _ => format!("{:.1} s", milliseconds / 1000.0),
    }
}

/// What stands where there is no figure.
pub const DASH: &str = "–";

/// A time given in microseconds, or a dash where there is none.
pub fn optional_time(microseconds: Option<u64>) -> String {
    microseconds.map_or_else(|| DASH.into(), time)
}

/// A range of times given in microseconds.
pub fn range(from: u64, to: u64) -> String {
    let (from, to) = (time(from), time(to));
    match (from.split_once(' '), to.split_once(' ')) {
        (Some((number, unit)), Some((_, same))) if unit == same => format!("{number}–{to}"),
        _ => format!("{from}–{to}"),
    }
}

/// A time and the range around it, all given in microseconds.
pub fn spread(microseconds: u64, from: u64, to: u64) -> String {
    let (time, range) = (time(microseconds), range(from, to));
    match (time.split_once(' '), range.split_once(' ')) {
        (Some((number, unit)), Some((numbers, same))) if unit == same => {
            format!("{number} ({numbers}) {unit}")
        }
        _ => format!("{time} ({range})"),
    }
}

/// A number with its thousands set apart.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A change, 0.1 for 10 % more.
pub fn percent(growth: f64) -> String {
    format!("{:+.0} %", growth * 100.0)
}

/// A size in bytes, as millions of bytes.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

/// US dollars: cents below a hundred, whole dollars above.
pub fn dollars(amount: f64) -> String {
    if amount < 99.995 {
        return format!("${amount:.2}");
    }
    let digits = format!("{amount:.0}");
    format!("${}", digits.parse().map_or(digits, count))
}

/// The length of a task, given in seconds.
pub fn task_length(seconds: f64) -> String {
    if seconds < 60.0 {
        format!("{seconds} s")
    } else {
        format!("{} min", seconds / 60.0)
    }
}

/// A large round number, briefly.
pub fn magnitude(number: f64) -> String {
    match number {
        1e6.. => format!("{} M", number / 1e6),
        1e3.. => format!("{} k", number / 1e3),
        _ => format!("{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_have_cents_where_they_count() {
        let amounts = [0.0, 0.256, 99.99, 100.4, 12_345.6].map(dollars);
        assert_eq!(amounts, ["$0.00", "$0.26", "$99.99", "$100", "$12,346"]);
    }

    #[test]
    fn a_change_has_a_sign() {
        assert_eq!([-0.123, 0.5].map(percent), ["-12 %", "+50 %"]);
    }

    #[test]
    fn lengths_and_magnitudes_are_brief() {
        assert_eq!([0.1, 10.0, 600.0].map(task_length), ["0.1 s", "10 s", "10 min"]);
        assert_eq!([0.0, 1e4, 1e7].map(magnitude), ["0", "10 k", "10 M"]);
    }

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let times = [0, 420, 9_994, 9_996, 99_940, 99_960, 1_234_000, 12_345_000].map(time);
        let expected = [
            "0.00 ms", "0.42 ms", "9.99 ms", "10.0 ms", "99.9 ms", "100 ms", "1,234 ms", "12.3 s",
        ];
        assert_eq!(times, expected);
    }

    #[test]
    fn a_range_names_a_common_unit_once() {
        assert_eq!(range(1_000, 25_000), "1.00–25.0 ms");
        assert_eq!(range(1_000_000, 12_000_000), "1,000 ms–12.0 s");
    }

    #[test]
    fn a_spread_names_a_common_unit_once() {
        assert_eq!(spread(4_390, 3_600, 15_350), "4.39 (3.60–15.3) ms");
        assert_eq!(spread(4_390, 3_600, 15_350_000), "4.39 ms (3.60 ms–15.3 s)");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(count),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
