//! A task that computes, with a result that can be checked: the Mandelbrot set.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    digest::hexadecimal,
    task::{InvalidParameter, Task, TaskContext, TaskError, to_result},
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

/// What the task returns: the same on every machine.
#[derive(Debug, Serialize)]
struct Picture {
    /// SHA-256 of the iteration counts, row by row, each as four bytes, least significant first.
    sha256: String,
    /// Points that never escaped.
    points_inside: u64,
}

impl Task for Mandelbrot {
    const KIND: &'static str = "mandelbrot";

    fn validate(&self) -> Result<(), InvalidParameter> {
        InvalidParameter::unless_within("width", self.width.into(), 1, 8_192)?;
        InvalidParameter::unless_within("height", self.height.into(), 1, 8_192)?;
        InvalidParameter::unless_within("max_iterations", self.max_iterations.into(), 1, 1_000_000)
    }

    async fn run(&self, context: &TaskContext) -> Result<Value, TaskError> {
        let mut hash = Sha256::new();
        let mut points_inside = 0;
        let mut since_yield = 0;
        for row in 0..self.height {
            for column in 0..self.width {
                let iterations = self.iterations_at(column, row);
                hash.update(iterations.to_le_bytes());
                points_inside += u64::from(iterations == self.max_iterations);
                since_yield += u64::from(iterations);
                if since_yield >= ITERATIONS_PER_SLICE {
                    since_yield = 0;
                    context.report_progress(f64::from(row) / f64::from(self.height));
                    tokio::task::yield_now().await;
                }
            }
        }
        to_result(&Picture {
            sha256: hexadecimal(&hash.finalize()),
            points_inside,
        })
    }
}

impl Mandelbrot {
    fn iterations_at(&self, column: u32, row: u32) -> u32 {
        let real = LEFT + SIDE * f64::from(column) / f64::from(self.width);
        let imaginary = TOP + SIDE * f64::from(row) / f64::from(self.height);
        let (mut x, mut y) = (0.0, 0.0);
        let mut iterations = 0;
        while iterations < self.max_iterations && x * x + y * y <= 4.0 {
            (x, y) = (x * x - y * y + real, 2.0 * x * y + imaginary);
            iterations += 1;
        }
        iterations
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn counts_what_an_independent_computation_counts() {
        let context = TaskContext::new(tokio::time::Instant::now() + Duration::from_secs(60));
        let result = Mandelbrot {
            width: 48,
            height: 32,
            max_iterations: 200,
        }
        .run(&context)
        .await
        .unwrap();
        assert_eq!(result["points_inside"], POINTS);
        assert_eq!(result["sha256"], HASH);
    }

    // Computed with Python's floating-point numbers and hashlib.
    const POINTS: u64 = 261;
    const HASH: &str = "1d203d0b3e7d802707d9bca83c98c74a411dd0690d2cc6798af52b7e0a189ebd";
}
