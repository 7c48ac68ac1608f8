//! What the benches share: when they run at all, and deployments, each made when it is first measured and ended after it.

use anyhow::Result;
use benches::deployment::{Deployment, Scene};
use benches::progress::Phase;
use benches::target::Target;
use benches::variant::Variant;
use benches::workspace;
use tokio::runtime::Runtime;

/// Whether Cargo runs this as a bench. `cargo test --all-targets` starts benches too, to see whether they work;
/// but these take minutes and build everything.
pub(crate) fn is_wanted() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// What was measured. Criterion takes no errors, so a failure ends the bench.
pub(crate) fn measured<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error:#}"))
}

/// A deployment that starts when it is first asked for: one that is filtered out never does.
pub(crate) struct LazyDeployment<'a> {
    runtime: &'a Runtime,
    variant: Variant,
    scene: Scene,
    deployment: Option<Deployment>,
}

impl<'a> LazyDeployment<'a> {
    pub(crate) fn new(runtime: &'a Runtime, variant: Variant, scene: Scene) -> Self {
        Self {
            runtime,
            variant,
            scene,
            deployment: None,
        }
    }

    /// What to measure.
    pub(crate) fn target(&mut self) -> Target {
        let deployment = self.deployment.take().unwrap_or_else(|| self.start());
        self.deployment.insert(deployment).target.clone()
    }

    fn start(&self) -> Deployment {
        let started = self.runtime.block_on(async {
            let folder = workspace::target_directory()?.join("bench");
            let log = Deployment::log_file(&folder, self.variant, &self.scene)?;
            let phase = Phase::begin(self.variant, "building and starting", 0);
            Deployment::start(self.variant, &self.scene, &log, &phase).await
        });
        measured(started)
    }
}
