//! A deployment as the measurements see it: which variant it is, and a client for each of its interfaces.

use anyhow::{Result, ensure};
use jiff::Timestamp;

use crate::aws::Aws;
use crate::client::TaskApi;
use crate::event;
use crate::lambda::{Invocation, Lambda};
use crate::logs::Logs;
use crate::stack::{Functions, Stack};
use crate::variant::Variant;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which variant it is.
    pub variant: Variant,
    /// The account that it is deployed in.
    pub aws: Aws,
    /// Its HTTP API.
    pub tasks: TaskApi,
    /// The names of its functions.
    pub functions: Functions,
    /// The Lambda API that its functions are behind.
    pub lambda: Lambda,
    /// Where its functions log.
    pub logs: Logs,
}

impl Target {
    /// The stack of this name, deployed as this variant; `None` where there is none of this name.
    ///
    /// # Errors
    /// Fails when the stack cannot be looked up, or is not one of this variant.
    pub async fn find(aws: &Aws, stack: &str, variant: Variant) -> Result<Option<Self>> {
        let Some(stack) = Stack::find(aws, stack, variant).await? else {
            return Ok(None);
        };
        Ok(Some(Self {
            variant,
            aws: aws.clone(),
            tasks: TaskApi::new(&stack.api_url, variant.accepted_status())?,
            functions: stack.functions,
            lambda: Lambda::new(aws),
            logs: Logs::new(aws),
        }))
    }

    /// The name of the function that answers `POST /tasks`; `None` where none does.
    pub fn accepting_function(&self) -> Option<&str> {
        self.functions
            .api
            .as_deref()
            .filter(|_| self.variant.has_api_function())
    }

    /// Invokes the function with the empty task, as API Gateway would, and waits for it to accept it.
    ///
    /// # Errors
    /// Fails when the invocation does, or the task is not accepted.
    pub async fn invoke_to_accept(&self, function: &str) -> Result<Invocation> {
        let event = event::post_tasks(&TaskApi::empty_task(), Timestamp::now());
        let invocation = self.lambda.invoke(function, &event).await?;
        let status = invocation.payload["statusCode"].as_u64();
        ensure!(
            status == Some(self.variant.accepted_status().into()),
            "{function} did not accept the request: {}",
            invocation.payload
        );
        Ok(invocation)
    }
}
