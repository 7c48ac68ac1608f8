//! The reader's own task, before all else: what is wrong with it shows at once.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Comparison, Way};
use crate::client::Refusal;
use crate::cost;
use crate::progress::Phase;

const WHAT: &str = "measurement of your task";

impl Comparison {
    /// In turns, one at a time: so they do not take the machine from each other.
    ///
    /// # Errors
    /// Fails when a variant finds fault with the task: it would each time, and so would the others.
    pub(super) async fn own_tasks(&mut self) -> Result<()> {
        let Some(plan) = self.results.settings.own_task.clone() else {
            return Ok(());
        };
        self.steps.begin("your task, one at a time");
        let ends_tasks = |way: &&Way| way.measured.variant.ends_tasks();
        let ways = self.ways.iter().filter(ends_tasks).count() as u64;
        let phase = Phase::begin_for_all("your task", u64::from(plan.rounds) * ways);
        let begin = Instant::now();
        for round in 0..plan.rounds {
            if round > 0 && begin.elapsed() >= Duration::from_secs(plan.seconds.into()) {
                break;
            }
            for index in 0..self.ways.len() {
                let variant = self.ways[index].measured.variant;
                if !variant.ends_tasks() || self.failed(variant, WHAT) {
                    continue;
                }
                phase.detail(variant.name());
                let way = &mut self.ways[index];
                match way.own_tasks.add(&way.deployment.target, &plan.task).await {
                    Ok(()) => {}
                    Err(error) if error.is::<Refusal>() && variant.is_variant() => {
                        return Err(error.context(format!("{variant} does not take your task")));
                    }
                    Err(error) => self.fail(variant, WHAT, &error),
                }
                phase.advance();
            }
        }
        for index in 0..self.ways.len() {
            let way = &mut self.ways[index];
            match way.own_tasks.figures(&way.deployment.target).await {
                Ok(figures) => way.measured.own_task = figures,
                Err(error) => self.fail(self.ways[index].measured.variant, WHAT, &error),
            }
        }
        Ok(())
    }

    /// Once it is known what the functions are billed for.
    pub(super) fn price_own_tasks(&mut self) {
        for index in 0..self.ways.len() {
            let measured = &mut self.ways[index].measured;
            let seconds = measured
                .own_task
                .as_ref()
                .and_then(|own| Some(own.started_to_finished_us.as_ref()?.p50 as f64 / 1e6));
            let Some(seconds) = seconds else {
                continue;
            };
            match cost::of_a_million(measured, seconds) {
                Ok(usd) => {
                    if let Some(own) = &mut measured.own_task {
                        own.usd_per_million = usd;
                    }
                }
                Err(error) => self.fail(self.ways[index].measured.variant, "price of your task", &error),
            }
        }
    }
}
