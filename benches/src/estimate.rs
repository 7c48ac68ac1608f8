//! What a comparison on AWS will cost, roughly and rather too much: from how much is sent, what each service is made to
//! do by it, and the prices in `infra/prices.toml`. Shown before anything is sent.

use std::fmt;

use anyhow::{Context, Result};

use crate::burst;
use crate::prices::Prices;
use crate::report::format::count;
use crate::results::Settings;
use crate::target::Target;

/// What an invocation is billed for, in seconds, and how much more if it is cold.
const WARM_SECONDS: f64 = 0.1;
const COLD_SECONDS: f64 = 1.0;

/// How many invocations are looked at for what they are billed for.
const BILLED: u64 = crate::billing::TIMES as u64 + 1;

/// How often a task's record is read over HTTP.
const LOOKS: u64 = 3;

/// What a task makes of records and messages: writes, reads, and requests to SQS.
const WRITES: f64 = 4.0;
const READS: f64 = 6.0;
const QUEUE_REQUESTS: f64 = 6.0;

/// What an invocation logs, in GB.
const LOGGED_GB: f64 = 2e-6;

/// A deployment that is to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Memory of the API's function, in MB.
    pub api_memory_mb: u64,
    /// Memory of the worker, in MB, where there are tasks.
    pub worker_memory_mb: Option<u64>,
}

/// How much will be used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Requests over HTTP.
    pub requests: u64,
    /// Tasks.
    pub tasks: u64,
    /// Invocations of functions.
    pub invocations: u64,
    /// What they are billed for.
    pub gb_seconds: f64,
    /// US dollars, where the prices hold.
    pub usd: f64,
    /// For how long a task of the reader's own is taken to run in each way, in seconds, where there is one.
    pub own_task_seconds: Option<u32>,
    /// Where the prices hold, and the dates of the oldest and the newest.
    pub prices: (String, String, String),
}

impl Measure {
    /// Looks up what there is to know of a deployment.
    ///
    /// # Errors
    /// Fails when the configuration of a function cannot be read.
    pub async fn of(target: &Target) -> Result<Self> {
        let worker_memory_mb = match &target.functions.worker {
            Some(worker) => Some(target.lambda.memory_size_mb(worker).await?),
            None => None,
        };
        Ok(Self {
            api_memory_mb: match &target.functions.api {
                Some(api) => target.lambda.memory_size_mb(api).await?,
                None => 0,
            },
            worker_memory_mb,
        })
    }
}

impl Estimate {
    /// What measuring these with these settings uses.
    ///
    /// # Errors
    /// Fails when the file of prices has been damaged.
    pub fn of(settings: &Settings, deployments: &[Measure]) -> Result<Self> {
        let mut estimate = Self {
            own_task_seconds: settings.own_task.as_ref().map(|plan| plan.seconds),
            ..Self::default()
        };
        for deployment in deployments {
            estimate.add(settings, *deployment);
        }
        estimate.price(&Prices::read()?)?;
        Ok(estimate)
    }

    fn add(&mut self, settings: &Settings, deployment: Measure) {
        let cold = u64::from(settings.cold_starts);
        let load: u32 = settings.rates_per_second.iter().sum::<u32>() * settings.seconds_per_rate
            + settings.reference_rate() * settings.warm_up_seconds;
        let burst = u64::from(settings.burst_tasks);
        let own = settings.own_task.as_ref();
        // Its length is not known. All rounds are assumed to take the plan's time in each way; the first takes longer if the
        // task does, which `Display` says.
        let own_seconds = own.map_or(0, |plan| u64::from(plan.seconds));
        let posts = cold + u64::from(load) + burst + own.map_or(0, |plan| u64::from(plan.rounds));
        let invoked = cold + BILLED;
        let gigabytes = |memory_mb: u64| memory_mb as f64 / 1024.0;
        let seconds =
            |invocations: u64, cold: u64| invocations as f64 * WARM_SECONDS + cold as f64 * COLD_SECONDS;
        let tasks = deployment.worker_memory_mb.map_or(0, |_| posts + invoked);
        let looks = deployment
            .worker_memory_mb
            .map_or(0, |_| tasks * LOOKS + own_seconds);
        let api = posts + invoked + looks;
        self.requests += posts + looks;
        self.tasks += tasks;
        self.invocations += api + tasks;
        self.gb_seconds += gigabytes(deployment.api_memory_mb) * seconds(api, 2 * cold);
        let burst_seconds = burst as f64 * burst::TASK_MILLIS as f64 / 1000.0;
        self.gb_seconds += gigabytes(deployment.worker_memory_mb.unwrap_or(0))
            * (seconds(tasks, cold) + burst_seconds + own_seconds as f64);
    }

    fn price(&mut self, prices: &Prices) -> Result<()> {
        let tasks = self.tasks as f64;
        let invocations = self.invocations as f64;
        let used = [
            ("http-api-request", self.requests as f64),
            ("lambda-request", invocations),
            ("lambda-x86_64", self.gb_seconds),
            ("dynamodb-write", WRITES * tasks),
            ("dynamodb-read", READS * tasks),
            ("sqs-request", QUEUE_REQUESTS * tasks),
            ("cloudwatch-logs", LOGGED_GB * invocations),
        ];
        for (name, amount) in used {
            self.usd += amount * prices.of(name)?;
        }
        let dates = || prices.all().map(|(_, price)| price.date.clone());
        let (oldest, newest) = (dates().min(), dates().max());
        self.prices = (
            prices.region.clone(),
            oldest.context("there are no prices")?,
            newest.context("there are no prices")?,
        );
        Ok(())
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (region, oldest, newest) = &self.prices;
        // The next whole cent.
        let usd = (self.usd * 100.0).ceil() / 100.0;
        write!(
            formatter,
            "This sends {} HTTP requests, runs {} tasks, and invokes functions {} times, for {:.0} GB-seconds if an \
             invocation is billed for {WARM_SECONDS} s and a cold one for {COLD_SECONDS} s more. By the list prices of {region} of \
             {oldest} to {newest} (infra/prices.toml), without free tiers, that is some ${usd:.2}.",
            count(self.requests),
            count(self.tasks),
            count(self.invocations),
            self.gb_seconds,
        )?;
        match self.own_task_seconds {
            Some(seconds) => write!(
                formatter,
                " Your task is taken to run for {seconds} s in each way; it runs at least once, for as long as it takes."
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::own_task::Plan;

    fn settings() -> Settings {
        Settings {
            cold_starts: 10,
            rates_per_second: vec![20, 50],
            seconds_per_rate: 10,
            warm_up_seconds: 2,
            burst_tasks: 30,
            ..Settings::quick()
        }
    }

    const SPLIT: Measure = Measure {
        api_memory_mb: 1024,
        worker_memory_mb: Some(512),
    };

    #[test]
    fn everything_that_is_sent_is_counted() {
        // 10 over HTTP when cold, 700 under load, 100 to warm up, 30 at once; 10 and 21 by Invoke.
        let estimate = Estimate::of(&settings(), &[SPLIT]).unwrap();
        assert_eq!(estimate.tasks, 871);
        assert_eq!(estimate.requests, 840 + 871 * LOOKS);
        assert_eq!(estimate.invocations, 871 + 871 * LOOKS + 871);
        let api = (871.0 + 871.0 * LOOKS as f64) * 0.1 + 20.0;
        let worker = 0.5 * (871.0 * 0.1 + 10.0 + 30.0);
        assert!((estimate.gb_seconds - (api + worker)).abs() < 1e-6);
    }

    #[test]
    fn a_task_of_ones_own_is_counted_with_what_is_taken_for_granted() {
        let with = Settings {
            own_task: Some(Plan::of(serde_json::json!({"kind": "sleep", "millis": 1}), true)),
            ..settings()
        };
        let [with, without] = [with, settings()].map(|it| Estimate::of(&it, &[SPLIT]).unwrap());
        assert_eq!(with.tasks, without.tasks + 5);
        assert!(with.gb_seconds > without.gb_seconds + 0.5 * 30.0);
        assert!(
            with.to_string().contains("for 30 s in each way") && !without.to_string().contains("each way")
        );
    }

    #[test]
    fn the_floor_runs_no_tasks() {
        let floor = Measure {
            api_memory_mb: 128,
            worker_memory_mb: None,
        };
        let estimate = Estimate::of(&settings(), &[floor]).unwrap();
        assert_eq!((estimate.tasks, estimate.requests), (0, 840));
    }

    #[test]
    fn money_grows_with_the_work_and_is_said_with_its_prices() {
        let [one, two] = [1, 2].map(|number| Estimate::of(&settings(), &vec![SPLIT; number]).unwrap());
        assert!(one.usd > 0.0 && (two.usd - 2.0 * one.usd).abs() < 1e-9);
        let text = two.to_string();
        assert!(text.contains("us-east-1") && text.contains('$'), "{text}");
    }
}
