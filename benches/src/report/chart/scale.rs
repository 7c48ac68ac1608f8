//! From values to places on an axis, and the round values that an axis is labelled with.

/// An axis: a range of values laid over a range of places.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
    logarithmic: bool,
}

impl Scale {
    /// Values from 0 to `to`, evenly from `start` to `end`.
    pub(super) fn linear(to: f64, start: f64, end: f64) -> Self {
        Self {
            from: 0.0,
            to,
            start,
            end,
            logarithmic: false,
        }
    }

    /// Values from `from` to `to`, both above 0, by their logarithms from `start` to `end`.
    pub(super) fn logarithmic(from: f64, to: f64, start: f64, end: f64) -> Self {
        Self {
            from: from.log10(),
            to: to.log10(),
            start,
            end,
            logarithmic: true,
        }
    }

    /// The place of a value.
    pub(super) fn place(self, value: f64) -> f64 {
        let value = if self.logarithmic { value.log10() } else { value };
        self.start + (value - self.from) / (self.to - self.from) * (self.end - self.start)
    }
}

/// Values 1, 2 and 5 times a power of ten, in equal steps from 0: about `count` of them, the last at or above `to`.
pub(super) fn even_ticks(to: f64, count: f64) -> Vec<f64> {
    let rough = to / count;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|&step| step >= rough);
    let step = step.unwrap_or(10.0 * power);
    let mut ticks = vec![0.0];
    while ticks.last().is_some_and(|&last| last < to * NEARLY) {
        ticks.push(ticks.len() as f64 * step);
    }
    ticks
}

/// Values 1, 2 and 5 times a power of ten, the first at or below `from`, the last at or above `to`; both above 0.
pub(super) fn decade_ticks(from: f64, to: f64) -> Vec<f64> {
    let mut ticks = Vec::new();
    let mut decade = from.log10().floor();
    while ticks.last().is_none_or(|&last| last < to * NEARLY) {
        // A division keeps 0.1 and 0.01 exact, which 10 to a negative power is not.
        let tick = |factor: f64| {
            if decade < 0.0 {
                factor / 10f64.powf(-decade)
            } else {
                factor * 10f64.powf(decade)
            }
        };
        ticks.extend([1.0, 2.0, 5.0].map(tick));
        decade += 1.0;
    }
    let begin = ticks.iter().rposition(|&tick| tick * NEARLY <= from).unwrap_or(0);
    let end = ticks
        .iter()
        .position(|&tick| tick >= to * NEARLY)
        .unwrap_or(0)
        .max(begin + 1);
    ticks.into_iter().take(end + 1).skip(begin).collect()
}

/// Less than 1 by what floating point may be off.
const NEARLY: f64 = 1.0 - 1e-9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_placed_at_the_ends() {
        let linear = Scale::linear(50.0, 100.0, 200.0);
        assert!((linear.place(0.0) - 100.0).abs() < 1e-9 && (linear.place(50.0) - 200.0).abs() < 1e-9);
        let logarithmic = Scale::logarithmic(1.0, 100.0, 0.0, 10.0);
        assert!((logarithmic.place(10.0) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn even_ticks_are_round_and_cover_the_range() {
        assert_eq!(even_ticks(37.0, 4.0), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(even_ticks(40.0, 4.0), [0.0, 10.0, 20.0, 30.0, 40.0]);
    }

    #[test]
    fn decade_ticks_are_round_and_cover_the_range() {
        assert_eq!(decade_ticks(0.8, 12.0), [0.5, 1.0, 2.0, 5.0, 10.0, 20.0]);
        assert_eq!(decade_ticks(2.0, 2.0), [2.0, 5.0]);
        assert_eq!(decade_ticks(6.0, 6.0), [5.0, 10.0]);
        assert_eq!(decade_ticks(0.02, 0.3), [0.02, 0.05, 0.1, 0.2, 0.5]);
    }
}
