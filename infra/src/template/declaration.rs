//! The `Resources` section before anything in it is resolved: what each resource is, and its attributes beside
//! the properties. Says which resource types exist for the local cloud.

use std::collections::BTreeSet;

use super::error::{Place, Problem, Problems};
use super::intrinsics::Scope;
use super::node::Fields;
use super::yaml::{Node, Value};

/// CloudFormation's limit.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>
const MOST_RESOURCES: usize = 500;
const ATTRIBUTES: [&str; 5] = ["Type", "Properties", "Metadata", "Condition", "DependsOn"];
/// What happens to a resource when the stack is deleted: here nothing outlives the process.
const ATTRIBUTES_WITHOUT_EFFECT: [&str; 2] = ["DeletionPolicy", "UpdateReplacePolicy"];

/// The resource types that the local cloud acts on, and those that it accepts and leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceType {
    Function,
    HttpApi,
    Queue,
    Table,
    EventSourceMapping,
    Role,
    Policy,
    ManagedPolicy,
    Service,
    TaskDefinition,
    LoadBalancer,
    TargetGroup,
    Listener,
    /// It watches, logs, lets AWS services in, or is where something runs: nothing behaves differently without it.
    WithoutEffect,
}

impl ResourceType {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "AWS::Serverless::Function" => Self::Function,
            "AWS::Serverless::HttpApi" => Self::HttpApi,
            "AWS::SQS::Queue" => Self::Queue,
            "AWS::DynamoDB::Table" => Self::Table,
            "AWS::Lambda::EventSourceMapping" => Self::EventSourceMapping,
            "AWS::IAM::Role" => Self::Role,
            "AWS::IAM::Policy" => Self::Policy,
            "AWS::IAM::ManagedPolicy" => Self::ManagedPolicy,
            "AWS::ECS::Service" => Self::Service,
            "AWS::ECS::TaskDefinition" => Self::TaskDefinition,
            "AWS::ElasticLoadBalancingV2::LoadBalancer" => Self::LoadBalancer,
            "AWS::ElasticLoadBalancingV2::TargetGroup" => Self::TargetGroup,
            "AWS::ElasticLoadBalancingV2::Listener" => Self::Listener,
            "AWS::CloudWatch::Alarm"
            | "AWS::CloudWatch::CompositeAlarm"
            | "AWS::CloudWatch::Dashboard"
            | "AWS::EC2::SecurityGroup"
            | "AWS::ECS::Cluster"
            | "AWS::Lambda::Permission"
            | "AWS::Logs::LogGroup"
            | "AWS::Logs::MetricFilter" => Self::WithoutEffect,
            _ => return None,
        })
    }
}

/// A resource as the template declares it.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) logical_id: String,
    pub(super) kind: ResourceType,
    /// As in `AWS::SQS::Queue`.
    pub(super) resource_type: String,
    pub(super) place: Place,
    /// A map; for functions and APIs `Globals` is already merged into it.
    pub(super) properties: Node,
    pub(super) metadata: Option<Node>,
    pub(super) depends_on: Vec<Node>,
}

impl Declaration {
    /// The properties in the first list, resolved; those in neither list are refused, those in the second are
    /// passed over unread.
    pub(super) fn resolve(
        &self,
        scope: &Scope<'_>,
        supported: &[&str],
        without_effect: &[&str],
    ) -> Result<Node, Problems> {
        let fields = self.properties.fields()?;
        let mut problems = Problems::default();
        problems.absorb(fields.allow(supported, without_effect));
        let mut resolved = Vec::new();
        for (name, node) in fields.entries() {
            if supported.contains(&name.as_str())
                && let Some(Some(value)) = problems.absorb(scope.resolve(node))
            {
                resolved.push((name.clone(), value));
            }
        }
        problems.check()?;
        Ok(Node {
            place: self.properties.place.clone(),
            value: Value::Mapping(resolved),
        })
    }
}

/// Reads the section; resources whose condition is false go to `scope.absent`.
pub(super) fn read(section: &Node, scope: &mut Scope<'_>) -> Result<Vec<Declaration>, Problems> {
    let fields = section.fields()?;
    if fields.entries().is_empty() {
        return Err(section
            .problem("a template declares at least one resource")
            .into());
    }
    if fields.entries().len() > MOST_RESOURCES {
        return Err(section
            .problem(format!("more than {MOST_RESOURCES} resources"))
            .into());
    }
    let mut problems = Problems::default();
    let mut declarations = Vec::new();
    for (logical_id, node) in fields.entries() {
        match problems.absorb(read_one(logical_id, node, scope)) {
            Some(Some(declaration)) => declarations.push(declaration),
            Some(None) => {
                scope.absent.insert(logical_id.clone());
            }
            None => {}
        }
    }
    problems.check()?;
    check_depends_on(&declarations, fields)?;
    Ok(declarations)
}

fn read_one(logical_id: &str, node: &Node, scope: &Scope<'_>) -> Result<Option<Declaration>, Problems> {
    check_logical_id(logical_id, node)?;
    let fields = node.fields()?;
    fields.allow(&ATTRIBUTES, &ATTRIBUTES_WITHOUT_EFFECT)?;
    let resource_type = fields.require("Type")?;
    let kind = kind(resource_type)?;
    if let Some(condition) = fields.get("Condition")
        && !scope.condition(condition)?
    {
        return Ok(None);
    }
    let properties = match fields.get("Properties") {
        Some(properties) => {
            properties.fields()?;
            properties.clone()
        }
        None => Node {
            place: node.place.part("Properties"),
            value: Value::Mapping(Vec::new()),
        },
    };
    Ok(Some(Declaration {
        logical_id: logical_id.to_owned(),
        kind,
        resource_type: resource_type.text()?.to_owned(),
        place: node.place.clone(),
        properties,
        metadata: fields.get("Metadata").cloned(),
        depends_on: fields
            .get("DependsOn")
            .map(|node| node.one_or_more().to_vec())
            .unwrap_or_default(),
    }))
}

fn check_logical_id(logical_id: &str, node: &Node) -> Result<(), Problem> {
    let fits =
        (1..=255).contains(&logical_id.len()) && logical_id.bytes().all(|one| one.is_ascii_alphanumeric());
    if fits {
        Ok(())
    } else {
        Err(node.problem("a logical id consists of 1 to 255 letters and digits"))
    }
}

fn kind(node: &Node) -> Result<ResourceType, Problem> {
    let name = node.text()?;
    ResourceType::named(name).ok_or_else(|| {
        node.problem(format!(
            "the resource type `{name}` is not supported by the local cloud"
        ))
    })
}

/// `DependsOn` names resources of the template. One whose condition is false is no obstacle; one that SAM makes
/// is known by its logical id.
fn check_depends_on(declarations: &[Declaration], fields: Fields<'_>) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let known: BTreeSet<&str> = fields.entries().iter().map(|(name, _)| name.as_str()).collect();
    for node in declarations
        .iter()
        .flat_map(|declaration| &declaration.depends_on)
    {
        let Some(name) = problems.absorb(node.text()) else {
            continue;
        };
        let role = name
            .strip_suffix("Role")
            .is_some_and(|function| known.contains(function));
        if !known.contains(name) && !role {
            problems.push(no_such_resource(name, node));
        }
    }
    problems.check()
}

/// The problem of a name that is no resource.
pub(super) fn no_such_resource(name: &str, node: &Node) -> Problem {
    node.problem(format!("there is no resource `{name}` in this template"))
}
