//! What is measured under stress: tasks whose clients go away, bursts, limits, and things that break.

use tokio::task::JoinSet;

use super::{Comparison, scenes};
use crate::burst;
use crate::quiet;
use crate::saturation;
use crate::variant::Variant;

impl Comparison {
    /// Bursts and limits, in turns; then the single faults, which are waited for more than worked on, all at the same time.
    pub(super) async fn under_stress(&mut self) {
        let settings = self.results.settings.clone();
        let variants: Vec<Variant> = self.ways.iter().map(|way| way.measured.variant).collect();
        self.leave_alone().await;
        self.steps.begin(match settings.saturation_from {
            Some(_) => "bursts, limits",
            None => "bursts",
        });
        self.bursts_and_limits().await;
        if settings.fault_tasks == 0 {
            return;
        }
        self.steps.begin("single faults");
        for (variant, fault, run) in
            scenes::single_faults(variants, settings.fault_tasks, self.folder.clone()).await
        {
            match run {
                Ok(run) => {
                    if let Some(way) = self.way(variant) {
                        way.measured.faults.push(run);
                        way.measured.faults.sort_by_key(|run| run.fault);
                    }
                }
                Err(error) => self.fail(variant, fault.name(), &error),
            }
        }
    }

    /// All at the same time, for it is mostly waited for.
    async fn leave_alone(&mut self) {
        let Some(seconds) = self.results.settings.quiet_seconds else {
            return;
        };
        self.steps
            .begin(&format!("tasks whose clients go away for {seconds} s"));
        let mut tasks = JoinSet::new();
        for way in &self.ways {
            let target = way.deployment.target.clone();
            if target.variant.answers_first() {
                tasks.spawn(async move { (target.variant, quiet::measure(&target, seconds).await) });
            }
        }
        for (variant, quiet) in tasks.join_all().await {
            match quiet {
                Ok(quiet) => {
                    if let Some(way) = self.way(variant) {
                        way.measured.quiet = Some(quiet);
                    }
                }
                Err(error) => self.fail(variant, "a task left alone", &error),
            }
        }
    }

    async fn bursts_and_limits(&mut self) {
        let settings = self.results.settings.clone();
        let is_wanted = |variant: Variant| variant.ends_tasks() && variant.answers_first();
        self.each("burst", is_wanted, async |way| {
            way.measured.burst = Some(burst::measure(&way.deployment.target, settings.burst_tasks).await?);
            Ok(())
        })
        .await;
        let Some(from_per_second) = settings.saturation_from else {
            return;
        };
        let is_wanted =
            |variant: Variant| variant.is_variant() || matches!(variant, Variant::AlwaysOn | Variant::Noop);
        self.each("limits", is_wanted, async |way| {
            let saturation = saturation::measure(&way.deployment.target, from_per_second).await;
            way.measured.saturation = Some(saturation);
            Ok(())
        })
        .await;
    }

    /// In a deployment of its own for each variant, so that nothing is measured where things break.
    pub(super) async fn soaks(&mut self) {
        let Some(plan) = self.results.settings.soak.clone() else {
            return;
        };
        self.steps.begin("tasks while everything breaks");
        let folder = self.folder.clone();
        self.each("soak", Variant::is_variant, async |way| {
            way.measured.soak = Some(scenes::soak(way.measured.variant, &plan, &folder).await?);
            Ok(())
        })
        .await;
    }
}
