//! A task of one's own, as short as one can be that does everything a good task does: it checks its parameters, shows
//! progress, lets others go on meanwhile, and is continued where an invocation is too short for it. To bring it into the
//! variants, put the task into a file of `shared/src/tasks`, and into the `mod.rs` there its `mod`, its `pub use` and a line
//! in `KINDS`.
//!
//! Before that it can be tried without any cloud, on the command line:
//!
//! ```text
//! cargo run -p shared --example count-primes -- '{"up_to": 2000000}'
//! ```

use std::{env, error::Error, process::ExitCode, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::{
    TaskId,
    task::{InvalidParameter, Task, TaskContext, TaskError, TaskOutput},
};
use tokio::{task::yield_now, time::Instant};

/// The most that is counted up to: some minutes of computing.
const MOST: u64 = 100_000_000;

/// After so many numbers others have their turn: the lease is renewed, and a request to cancel is seen.
const SLICE: u64 = 10_000;

/// Counts the primes up to a number. The parameters of a task are the fields of its struct: what a client sends beside
/// `kind`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CountPrimes {
    /// The last number that is looked at; up to 100 million.
    up_to: u64,
}

/// How far it has got: what an interrupted task goes on from.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Checkpoint {
    looked_at: u64,
    primes: u64,
}

impl Task for CountPrimes {
    const KIND: &'static str = "count-primes";

    fn validate(&self) -> Result<(), InvalidParameter> {
        InvalidParameter::unless_within("up_to", self.up_to, 1, MOST)
    }

    async fn run(&self, context: &TaskContext) -> Result<TaskOutput, TaskError> {
        let mut done = context.checkpoint::<Checkpoint>()?.unwrap_or_default();
        while done.looked_at < self.up_to {
            if context.should_pause() {
                return TaskOutput::to_be_continued(&done);
            }
            let next = self.up_to.min(done.looked_at + SLICE);
            let primes = (done.looked_at + 1..=next).filter(|number| is_prime(*number));
            done.primes += primes.count() as u64;
            done.looked_at = next;
            context.report_progress(next as f64 / self.up_to as f64);
            yield_now().await;
        }
        TaskOutput::result(&json!({ "primes": done.primes }))
    }
}

fn is_prime(number: u64) -> bool {
    number > 1 && (2..=number.isqrt()).all(|divisor| !number.is_multiple_of(divisor))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the task with the parameters that the command line gives.
async fn run() -> Result<(), Box<dyn Error>> {
    let parameters = env::args()
        .nth(1)
        .unwrap_or_else(|| r#"{"up_to": 1000000}"#.to_owned());
    let task: CountPrimes = serde_json::from_str(&parameters)?;
    task.validate()?;
    let context = TaskContext::new(TaskId::random(), Instant::now() + Duration::from_secs(900));
    match task.run(&context).await? {
        TaskOutput::Result(result) => println!("{result}"),
        TaskOutput::ToBeContinued(checkpoint) => println!("to be continued from {checkpoint}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation_of(time: Duration) -> TaskContext {
        TaskContext::new(TaskId::random(), Instant::now() + time)
    }

    #[tokio::test]
    async fn primes_are_counted_and_progress_is_shown() {
        let context = invocation_of(Duration::from_secs(900));
        let output = CountPrimes { up_to: 100_000 }.run(&context).await.unwrap();
        assert_eq!(output, TaskOutput::result(&json!({ "primes": 9_592 })).unwrap());
        assert!((context.progress() - 1.0).abs() < f64::EPSILON);
    }

    #[tokio::test]
    async fn an_invocation_that_is_too_short_is_continued_by_the_next() {
        let task = CountPrimes { up_to: 50_000 };
        let TaskOutput::ToBeContinued(checkpoint) = task.run(&invocation_of(Duration::ZERO)).await.unwrap()
        else {
            panic!("it had no time");
        };
        let next = invocation_of(Duration::from_secs(900)).continued(checkpoint, 0.0);
        let output = task.run(&next).await.unwrap();
        assert_eq!(output, TaskOutput::result(&json!({ "primes": 5_133 })).unwrap());
    }

    #[test]
    fn too_much_is_refused_by_the_name_of_the_parameter() {
        let refused = CountPrimes { up_to: MOST + 1 }.validate().unwrap_err();
        assert_eq!(refused.field, "up_to");
    }
}
