//! A task that computes, with a result that can be checked: the Mandelbrot set. It may take days; it can be continued.

use serde::{Deserialize, Serialize};
use sha2::{
    Digest, Sha256,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use crate::{
    digest::{bytes, hexadecimal},
    task::{InvalidParameter, Task, TaskContext, TaskError, TaskOutput},
};

/// The part of the plane that is drawn: real part from -2 to 1, imaginary part from -1.5 to 1.5.
const LEFT: f64 = -2.0;
const TOP: f64 = -1.5;
const SIDE: f64 = 3.0;

/// Iterations between two yields: a few milliseconds, so that the lease can be renewed on the same thread.
const ITERATIONS_PER_SLICE: u64 = 1_000_000;

/// Counts the iterations of each point of a grid.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mandelbrot {
    /// Points in a row, 1 to 8192.
    pub width: u32,
    /// Rows, 1 to 8192.
    pub height: u32,
    /// Iterations after which a point counts as inside, 1 to 1,000,000.
    pub max_iterations: u32,
}

/// What the task returns: the same on every machine, however often it was interrupted.
#[derive(Debug, Serialize)]
struct Picture {
    /// SHA-256 of the iteration counts, row by row, each as four bytes, least significant first.
    sha256: String,
    /// Points that never escaped.
    points_inside: u64,
}

/// How far the work has got.
#[derive(Default)]
struct State {
    points: u64,
    points_inside: u64,
    hash: Sha256,
}

/// The state as JSON.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    points: u64,
    points_inside: u64,
    hash: String,
}

impl Task for Mandelbrot {
    const KIND: &'static str = "mandelbrot";

    fn validate(&self) -> Result<(), InvalidParameter> {
        InvalidParameter::unless_within("width", self.width.into(), 1, 8_192)?;
        InvalidParameter::unless_within("height", self.height.into(), 1, 8_192)?;
        InvalidParameter::unless_within("max_iterations", self.max_iterations.into(), 1, 1_000_000)
    }

    async fn run(&self, context: &TaskContext) -> Result<TaskOutput, TaskError> {
        let mut state = match context.checkpoint::<Checkpoint>()? {
            Some(checkpoint) => checkpoint.restore()?,
            None => State::default(),
        };
        let all = u64::from(self.width) * u64::from(self.height);
        while state.points < all {
            self.compute_slice(&mut state, all);
            context.report_progress(state.points as f64 / all as f64);
            if context.should_pause() && state.points < all {
                return TaskOutput::to_be_continued(&state.checkpoint());
            }
            tokio::task::yield_now().await;
        }
        TaskOutput::result(&Picture {
            sha256: hexadecimal(&state.hash.finalize()),
            points_inside: state.points_inside,
        })
    }
}

impl Mandelbrot {
    /// At least one point, and as many as one slice has the time for.
    fn compute_slice(&self, state: &mut State, all: u64) {
        let mut spent = 0;
        while spent < ITERATIONS_PER_SLICE && state.points < all {
            let width = u64::from(self.width);
            let iterations = self.iterations_at(state.points % width, state.points / width);
            state.hash.update(iterations.to_le_bytes());
            state.points_inside += u64::from(iterations == self.max_iterations);
            state.points += 1;
            spent += u64::from(iterations);
        }
    }

    fn iterations_at(&self, column: u64, row: u64) -> u32 {
        let real = LEFT + SIDE * column as f64 / f64::from(self.width);
        let imaginary = TOP + SIDE * row as f64 / f64::from(self.height);
        let (mut x, mut y) = (0.0, 0.0);
        let mut iterations = 0;
        while iterations < self.max_iterations && x * x + y * y <= 4.0 {
            (x, y) = (x * x - y * y + real, 2.0 * x * y + imaginary);
            iterations += 1;
        }
        iterations
    }
}

impl State {
    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            points: self.points,
            points_inside: self.points_inside,
            hash: hexadecimal(&self.hash.serialize()),
        }
    }
}

impl Checkpoint {
    fn restore(&self) -> Result<State, TaskError> {
        let unreadable = || TaskError("the checkpoint's hash cannot be read".to_owned());
        let hash = bytes(&self.hash).ok_or_else(unreadable)?;
        let hash = SerializedState::<Sha256>::try_from(hash.as_slice()).map_err(|_| unreadable())?;
        Ok(State {
            points: self.points,
            points_inside: self.points_inside,
            hash: Sha256::deserialize(&hash).map_err(|_| unreadable())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};
    use tokio::time::Instant;

    use super::*;
    use crate::TaskId;

    // Computed with Python's floating-point numbers and hashlib.
    const POINTS: u64 = 261;
    const HASH: &str = "1d203d0b3e7d802707d9bca83c98c74a411dd0690d2cc6798af52b7e0a189ebd";

    fn picture() -> Value {
        json!({"sha256": HASH, "points_inside": POINTS})
    }

    fn small() -> Mandelbrot {
        Mandelbrot {
            width: 48,
            height: 32,
            max_iterations: 200,
        }
    }

    fn context(time: Duration) -> TaskContext {
        TaskContext::new(TaskId::random(), Instant::now() + time)
    }

    #[tokio::test]
    async fn counts_what_an_independent_computation_counts() {
        let output = small().run(&context(Duration::from_secs(60))).await.unwrap();
        assert_eq!(output, TaskOutput::Result(picture()));
    }

    #[tokio::test]
    async fn comes_to_the_same_result_from_any_checkpoint() {
        let task = small();
        let mut state = State::default();
        for all in [0, 1, 48, 700, 1_535] {
            task.compute_slice(&mut state, all);
            let checkpoint = serde_json::to_value(state.checkpoint()).unwrap();
            let context = context(Duration::from_secs(60)).continued(checkpoint, 0.0);
            assert_eq!(
                task.run(&context).await.unwrap(),
                TaskOutput::Result(picture()),
                "{all}"
            );
        }
    }

    #[tokio::test]
    async fn is_to_be_continued_when_its_time_is_up_and_gets_further_each_time() {
        let task = Mandelbrot {
            width: 64,
            height: 64,
            max_iterations: 1_000_000,
        };
        let mut context = context(Duration::ZERO);
        let mut last = 0;
        for _ in 0..3 {
            let TaskOutput::ToBeContinued(checkpoint) = task.run(&context).await.unwrap() else {
                panic!("it has ended")
            };
            let points = checkpoint["points"].as_u64().unwrap();
            assert!(points > last);
            last = points;
            context = self::context(Duration::ZERO).continued(checkpoint, context.progress());
        }
        assert!(context.progress() > 0.0);
    }

    #[tokio::test]
    async fn a_checkpoint_that_cannot_be_read_is_an_error() {
        for hash in ["", "zz", "00"] {
            let checkpoint = json!({"points": 1, "points_inside": 0, "hash": hash});
            let context = context(Duration::from_secs(60)).continued(checkpoint, 0.0);
            assert!(small().run(&context).await.is_err(), "{hash}");
        }
    }
}
