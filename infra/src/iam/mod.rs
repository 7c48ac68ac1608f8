//! IAM, as far as the local cloud has it: who sent a request, and may they do what it asks for?
//!
//! [`Iam`] knows the access keys of the local user and of every function's role. `signature` verifies who sent a
//! request, `permissions` says which actions on which resources it asks for, `policy` decides by the role's
//! statements, and `refusal` words the answer as each service does. [`execution_role`] holds what Lambda itself does
//! under a function's role against its policies. There are no groups, resource policies, boundaries or conditions
//! here: the template has the roles, and that is all.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

mod credentials;
pub mod execution_role;
mod permissions;
mod policy;
mod principal;
mod refusal;
mod signature;

use std::collections::HashMap;

use axum::http::request::Parts;
use jiff::Timestamp;

pub use self::{
    credentials::Credentials,
    principal::{Denied, Principal, Reason},
    refusal::Refusal,
};
use crate::template;

/// The account and the Region that everything belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account's id, twelve digits.
    pub id: String,
    /// The Region.
    pub region: String,
}

/// A service that takes signed requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// AWS CloudFormation.
    CloudFormation,
    /// Amazon DynamoDB.
    DynamoDb,
    /// AWS Lambda.
    Lambda,
    /// Amazon CloudWatch Logs.
    Logs,
    /// Amazon SQS.
    Sqs,
}

impl Service {
    /// The service's name in credential scopes, ARNs and actions.
    pub fn name(self) -> &'static str {
        match self {
            Self::CloudFormation => "cloudformation",
            Self::DynamoDb => "dynamodb",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
            Self::Sqs => "sqs",
        }
    }
}

/// The access keys of the account, and whose they are.
#[derive(Debug)]
pub struct Iam {
    account: Account,
    keys: HashMap<String, Key>,
}

/// Who sent a signed request.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The key that it is signed with.
    pub access_key_id: &'a str,
    /// Whose key that is.
    pub principal: &'a Principal,
}

#[derive(Debug)]
struct Key {
    credentials: Credentials,
    principal: Principal,
}

impl Iam {
    /// An account without keys.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            keys: HashMap::new(),
        }
    }

    /// New keys of a user who may do everything.
    pub fn add_user(&mut self, name: &str) -> Credentials {
        let principal = Principal::user(&self.account, name);
        self.add(Credentials::of_a_user(), principal)
    }

    /// New temporary keys of a function's role.
    pub fn add_function(&mut self, function: &template::Function) -> Credentials {
        let principal = Principal::function(&self.account, function);
        self.add(Credentials::of_a_role(), principal)
    }

    /// New temporary keys of the role of a service's task.
    pub fn add_task(&mut self, service: &template::ContainerService) -> Credentials {
        let template::ContainerService {
            role_name,
            logical_id,
            statements,
            ..
        } = service;
        let principal = Principal::role(&self.account, role_name, logical_id, statements);
        self.add(Credentials::of_a_role(), principal)
    }

    fn add(&mut self, credentials: Credentials, principal: Principal) -> Credentials {
        let key = Key {
            credentials: credentials.clone(),
            principal,
        };
        self.keys.insert(credentials.access_key_id.clone(), key);
        credentials
    }

    /// Checks that a request to a service is signed with a known key, and that whoever has the key may do what it
    /// asks for. Answers who that is.
    ///
    /// # Errors
    ///
    /// It is not, or they may not.
    pub fn check(&self, service: Service, request: &Parts, body: &[u8]) -> Result<&Principal, Refusal> {
        let Caller { principal, .. } = self.authenticate(service.name(), request, body, Timestamp::now())?;
        // Whoever may do everything may also do what cannot be judged.
        if principal.may_do_everything() {
            return Ok(principal);
        }
        let needed = permissions::of_request(service, &self.account, request, body)
            .map_err(|operation| principal.not_judged(&operation))?;
        for permission in needed {
            principal.may(&permission.action, &permission.resource)?;
        }
        Ok(principal)
    }

    /// Checks that a request to an HTTP API is signed with a known key, and that whoever has the key may send it.
    ///
    /// # Errors
    ///
    /// It is not, or they may not.
    pub fn check_request_to_api(
        &self,
        api_id: &str,
        request: &Parts,
        body: &[u8],
    ) -> Result<Caller<'_>, Refusal> {
        let caller = self.authenticate("execute-api", request, body, Timestamp::now())?;
        let Account { id, region } = &self.account;
        let (method, path) = (&request.method, request.uri.path());
        // <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html>
        let arn = format!("arn:aws:execute-api:{region}:{id}:{api_id}/$default/{method}{path}");
        caller.principal.may("execute-api:Invoke", &arn)?;
        Ok(caller)
    }

    /// Whose key the request is signed with. The service is named as in credential scopes.
    fn authenticate(
        &self,
        service: &str,
        request: &Parts,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Caller<'_>, Refusal> {
        let signed = signature::SignedRequest::read(request)?;
        signed.check_time(now)?;
        let access_key_id = signed.check_scope(service, &self.account.region)?;
        let (access_key_id, key) = self
            .keys
            .get_key_value(access_key_id)
            .ok_or(Refusal::UnknownKey)?;
        signed.verify(&key.credentials.secret_access_key, body)?;
        if key.credentials.session_token.as_deref() != signed.session_token() {
            return Err(Refusal::UnknownKey);
        }
        let Key { principal, .. } = key;
        Ok(Caller {
            access_key_id,
            principal,
        })
    }
}

#[cfg(test)]
mod tests;
