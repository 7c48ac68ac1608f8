//! Where the variants are: in the local cloud, which starts each and ends it, or deployed already, on AWS.

use std::collections::BTreeMap;

use crate::aws::Aws;
use crate::variant::Variant;

/// Where the variants are.
#[derive(Clone, Debug)]
pub enum Place {
    /// In the local cloud.
    Local,
    /// Where the AWS APIs are that the environment names.
    Aws(Box<Account>),
}

/// Where stacks are deployed, and how they are called.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account and the Region.
    pub aws: Aws,
    /// The names of the stacks that are not called as `cargo infra deploy` calls them.
    pub stacks: BTreeMap<&'static str, String>,
}

impl Place {
    /// What it is called in a report.
    pub fn name(&self) -> String {
        match self {
            Self::Local => LOCAL.to_owned(),
            Self::Aws(account) => account.aws.name(),
        }
    }
}

impl Account {
    /// The name of the variant's stack.
    pub fn stack(&self, variant: Variant) -> String {
        match self.stacks.get(variant.name()) {
            Some(name) => name.clone(),
            None => format!("lambda-offload-{variant}"),
        }
    }
}

/// What the local cloud is called in a report.
pub const LOCAL: &str = "local cloud";
