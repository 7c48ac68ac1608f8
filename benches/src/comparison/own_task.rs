//! The reader's own task, before all else: what is wrong with it shows at once.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Comparison, Way, any};
use crate::client::Refusal;
use crate::cost;
use crate::progress::Phase;
use crate::variant::Variant;

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
            let mut refusal = None;
            self.each_without_failure(WHAT, Variant::ends_tasks, async |way| {
                let variant = way.measured.variant;
                if refusal.is_some() {
                    return Ok(());
                }
                phase.detail(variant.name());
                let added = way.own_tasks.add(&way.deployment.target, &plan.task).await;
                phase.advance();
                match added {
                    Err(error) if error.is::<Refusal>() && variant.is_variant() => {
                        refusal = Some(error.context(format!("{variant} does not take your task")));
                        Ok(())
                    }
                    added => added,
                }
            })
            .await;
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
        }
        self.each(WHAT, any, async |way| {
            way.measured.own_task = way.own_tasks.figures(&way.deployment.target).await?;
            Ok(())
        })
        .await;
        Ok(())
    }

    /// Once it is known what the functions are billed for.
    pub(super) async fn price_own_tasks(&mut self) {
        self.each("price of your task", any, async |way| {
            let own = way.measured.own_task.as_ref();
            let Some(times) = own.and_then(|own| own.started_to_finished_us.as_ref()) else {
                return Ok(());
            };
            let usd = cost::of_a_million(&way.measured, times.p50 as f64 / 1e6)?;
            if let Some(own) = &mut way.measured.own_task {
                own.usd_per_million = usd;
            }
            Ok(())
        })
        .await;
    }
}
