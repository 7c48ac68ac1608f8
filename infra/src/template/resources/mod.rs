//! One module for each resource type that the local cloud acts on, and what they share. Each states the
//! properties that it reads and those that cannot matter locally; all others are refused.

pub(super) mod api;
mod api_definition;
mod asynchronous;
mod authorization;
mod container;
pub(super) mod events;
pub(super) mod function;
mod load_balancer;
pub(super) mod mapping;
pub(super) mod policy;
pub(super) mod policy_templates;
pub(super) mod queue;
pub(super) mod service;
pub(super) mod table;

use std::path::Path;

use super::declaration::{Declaration, ResourceType};
use super::error::{Problem, Problems};
use super::identity::{Identity, Kind};
use super::intrinsics::Scope;
use super::yaml::Node;

/// What every resource can draw on.
pub(super) struct Context<'a> {
    pub(super) scope: &'a Scope<'a>,
    /// The folder of the template.
    pub(super) directory: &'a Path,
}

impl Context<'_> {
    /// The identity of a resource that has one.
    pub(super) fn identity(&self, declaration: &Declaration) -> Result<&Identity, Problem> {
        let identity = self.scope.identities.get(&declaration.logical_id);
        identity.ok_or_else(|| declaration.place.problem("has no name"))
    }

    /// Logical id and identity of a resource of this kind, by what AWS calls it in this place.
    pub(super) fn find(
        &self,
        kind: Kind,
        called: impl Fn(&Identity) -> bool,
    ) -> Option<(&String, &Identity)> {
        let mut resources = self.scope.identities.iter();
        resources.find(|(_, identity)| identity.kind == kind && called(identity))
    }

    /// The ARN of a queue of this template.
    pub(super) fn queue_arn(&self, node: &Node) -> Result<String, Problem> {
        self.arn(Kind::Queue, "the ARN of a queue of this template", node)
    }

    /// The ARN of a function of this template.
    pub(super) fn function_arn(&self, node: &Node) -> Result<String, Problem> {
        self.arn(Kind::Function, "the ARN of a function of this template", node)
    }

    /// The declaration of the resource of this kind that `Ref` gives so.
    pub(super) fn referred<'d>(
        &self,
        kind: Kind,
        node: &Node,
        declarations: &'d [Declaration],
    ) -> Result<&'d Declaration, Problem> {
        let text = node.text()?;
        let found = self.find(kind, |identity| identity.reference(self.scope.settings) == text);
        let declared = found.and_then(|(id, _)| declarations.iter().find(|it| it.logical_id == *id));
        declared.ok_or_else(|| node.expected("`!Ref` of such a resource of this template"))
    }

    /// The name of the role of this template that has the ARN.
    pub(super) fn role_name(&self, node: &Node) -> Result<String, Problem> {
        let arn = self.arn(Kind::Role, "the ARN of a role of this template", node)?;
        let found = self.find(Kind::Role, |role| role.arn(self.scope.settings) == arn);
        Ok(found.map(|(_, role)| role.name.clone()).unwrap_or_default())
    }

    fn arn(&self, kind: Kind, what: &str, node: &Node) -> Result<String, Problem> {
        let text = node.text()?;
        match self.find(kind, |identity| identity.arn(self.scope.settings) == text) {
            Some(_) => Ok(text.to_owned()),
            None => Err(node.expected(what)),
        }
    }
}

/// What `Ref` and `Fn::GetAtt` of a resource give, where it can be referred to.
pub(super) fn identity(declaration: &Declaration, scope: &Scope<'_>) -> Result<Option<Identity>, Problems> {
    let (kind, property, rule) = match declaration.kind {
        ResourceType::Function => (Kind::Function, "FunctionName", NameRule::new(1, 64, "-_")),
        ResourceType::Queue => (Kind::Queue, "QueueName", NameRule::new(1, 80, "-_")),
        ResourceType::Table => (Kind::Table, "TableName", NameRule::new(3, 255, "-_.")),
        ResourceType::Role => (Kind::Role, "RoleName", NameRule::new(1, 64, "-_.+=,@")),
        ResourceType::ManagedPolicy => (
            Kind::ManagedPolicy,
            "ManagedPolicyName",
            NameRule::new(1, 128, "-_.+=,@"),
        ),
        ResourceType::HttpApi => return Ok(Some(api::identity(&declaration.logical_id))),
        ResourceType::TaskDefinition => return Ok(Some(unnamed(Kind::TaskDefinition, declaration))),
        ResourceType::LoadBalancer => return Ok(Some(unnamed(Kind::LoadBalancer, declaration))),
        ResourceType::TargetGroup => return Ok(Some(unnamed(Kind::TargetGroup, declaration))),
        ResourceType::EventSourceMapping
        | ResourceType::Policy
        | ResourceType::Service
        | ResourceType::Listener
        | ResourceType::WithoutEffect => return Ok(None),
    };
    let given = declaration
        .properties
        .fields()?
        .read(property, |node| scope.resolve(node))?
        .flatten();
    let name = match given {
        Some(node) => rule.check(&node)?.to_owned(),
        None if kind == Kind::Table && declaration.logical_id.len() < rule.shortest => {
            let message =
                "the local cloud names a table by its logical id, and a name has at least 3 characters";
            return Err(declaration.place.problem(message).into());
        }
        None => declaration.logical_id.clone(),
    };
    Ok(Some(Identity { kind, name }))
}

/// The identity of a resource whose own name does not matter here.
fn unnamed(kind: Kind, declaration: &Declaration) -> Identity {
    let name = declaration.logical_id.clone();
    Identity { kind, name }
}

/// What AWS demands of a name.
struct NameRule {
    shortest: usize,
    longest: usize,
    /// What it may hold besides letters and digits.
    marks: &'static str,
}

impl NameRule {
    const fn new(shortest: usize, longest: usize, marks: &'static str) -> Self {
        Self {
            shortest,
            longest,
            marks,
        }
    }

    fn check<'node>(&self, node: &'node Node) -> Result<&'node str, Problem> {
        let name = node.text()?;
        let fits = (self.shortest..=self.longest).contains(&name.len())
            && name
                .chars()
                .all(|one| one.is_ascii_alphanumeric() || self.marks.contains(one));
        let Self {
            shortest,
            longest,
            marks,
        } = self;
        fits.then_some(name).ok_or_else(|| {
            node.expected(&format!(
                "a name of {shortest} to {longest} letters, digits and any of `{marks}`"
            ))
        })
    }
}
