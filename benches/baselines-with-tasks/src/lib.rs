//! What the baselines have in common that do run tasks: ways to hand a task over that are none. The task, its record and
//! the HTTP interface are the variants' own, from [`shared`]; so a comparison compares the packaging and nothing else.
//!
//! They stand in a package of their own, so that the floor of the comparison does not depend on [`shared`]. What the floor
//! has in common with them it has with the features that all functions ask for, as each function has that SAM builds.

pub mod extension;
mod in_process;

use lambda_runtime::Context;
use shared::{Dispatch, DispatchError, TaskMessage, async_trait};

pub use in_process::{Accepted, InProcess, in_process, invocation_of, time_for_a_task};

/// Hands over to nobody: a task that cannot be ended here and now is refused.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

#[async_trait]
impl Dispatch for Nobody {
    async fn dispatch(&self, _message: &TaskMessage, _invocation: &Context) -> Result<(), DispatchError> {
        Err(DispatchError::new("nobody would take the task up"))
    }
}
