//! A deployment as the measurements see it: which variant it is, and a client for each of its interfaces.

use anyhow::{Result, ensure};

use crate::client::TaskApi;
use crate::deployment::Endpoints;
use crate::lambda::Lambda;
use crate::variant::Variant;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which variant it is.
    pub variant: Variant,
    /// Its HTTP API.
    pub tasks: TaskApi,
    /// The Lambda API that its functions are behind.
    pub lambda: Lambda,
}

impl Target {
    /// The deployment of this variant at these endpoints.
    ///
    /// # Errors
    /// Fails when the deployment lacks a function of the variant.
    pub fn new(variant: Variant, endpoints: &Endpoints) -> Result<Self> {
        for function in variant.functions() {
            ensure!(
                endpoints.functions.iter().any(|name| name == function),
                "{variant} needs a function {function}; deployed are: {}",
                endpoints.functions.join(", "),
            );
        }
        Ok(Self {
            variant,
            tasks: TaskApi::new(&endpoints.api_url, variant.accepted_status())?,
            lambda: Lambda::new(endpoints),
        })
    }
}
