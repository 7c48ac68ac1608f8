//! Who acts: the local user, or a function or a service under its role.

use std::fmt;

use super::{
    Account,
    policy::{Decision, decide},
};
use crate::template::{self, Statement};

/// Someone who makes requests.
#[derive(Debug)]
pub struct Principal {
    /// As in `aws:userid`: for a role, its own id and the session's name
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>).
    pub(crate) id: String,
    pub(crate) arn: String,
    rights: Rights,
}

#[derive(Debug)]
enum Rights {
    Everything,
    Statements(Vec<Statement>),
}

/// A principal may not do what was asked for. It reads as AWS words it
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Denied {
    principal_arn: String,
    action: String,
    resource: String,
    reason: Reason,
}

/// Why it was denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A statement denies it.
    Explicit,
    /// No statement allows it.
    Implicit,
    /// The local cloud does not know which permissions the operation needs. AWS has no such thing.
    NotJudged,
}

impl Principal {
    /// A user of the account, who may do everything.
    pub fn user(account: &Account, name: &str) -> Self {
        Self {
            id: unique_id("AIDA"),
            arn: format!("arn:aws:iam::{}:user/{name}", account.id),
            rights: Rights::Everything,
        }
    }

    /// A function under its role: in a session that is named after the function, as on AWS.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html>
    pub fn function(account: &Account, function: &template::Function) -> Self {
        Self::role(account, &function.role_name, &function.name, &function.statements)
    }

    /// Whoever has assumed a role that allows and denies this, in a session of that name.
    pub fn role(account: &Account, role_name: &str, session: &str, statements: &[Statement]) -> Self {
        Self {
            id: format!("{}:{session}", unique_id("AROA")),
            arn: format!("arn:aws:sts::{}:assumed-role/{role_name}/{session}", account.id),
            rights: Rights::Statements(statements.to_vec()),
        }
    }

    /// Checks whether it may perform an action, such as `sqs:SendMessage`, on the resource of that ARN.
    ///
    /// # Errors
    ///
    /// It may not.
    pub fn may(&self, action: &str, resource: &str) -> Result<(), Denied> {
        let reason = match &self.rights {
            Rights::Everything => return Ok(()),
            Rights::Statements(statements) => match decide(statements, action, resource) {
                Decision::Allow => return Ok(()),
                Decision::ExplicitDeny => Reason::Explicit,
                Decision::ImplicitDeny => Reason::Implicit,
            },
        };
        Err(self.denied(action, resource, reason))
    }

    /// The name of the function, if it is one.
    pub fn function_name(&self) -> Option<&str> {
        match self.rights {
            Rights::Everything => None,
            Rights::Statements(_) => self.arn.rsplit('/').next(),
        }
    }

    pub(super) fn may_do_everything(&self) -> bool {
        matches!(self.rights, Rights::Everything)
    }

    pub(super) fn not_judged(&self, operation: &str) -> Denied {
        self.denied(operation, "*", Reason::NotJudged)
    }

    fn denied(&self, action: &str, resource: &str, reason: Reason) -> Denied {
        Denied {
            principal_arn: self.arn.clone(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            reason,
        }
    }
}

/// What IAM calls a user or a role by, beside its name
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>).
fn unique_id(prefix: &str) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    format!("{prefix}{}", &random[..17])
}

impl Denied {
    /// The same, with the action in lower case, as SQS writes it.
    pub(crate) fn with_lower_case_action(&self) -> Self {
        Self {
            action: self.action.to_lowercase(),
            ..self.clone()
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            principal_arn,
            action,
            resource,
            reason,
        } = self;
        write!(
            formatter,
            "User: {principal_arn} is not authorized to perform: {action} on resource: {resource} "
        )?;
        match reason {
            Reason::Explicit => formatter.write_str("with an explicit deny in an identity-based policy"),
            Reason::Implicit => {
                write!(formatter, "because no identity-based policy allows the {action} action")
            }
            Reason::NotJudged => formatter.write_str(
                "because the local cloud does not know the permissions of this operation; its user may call it",
            ),
        }
    }
}
