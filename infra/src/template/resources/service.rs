//! `AWS::ECS::Service`, with the task definition that it runs and the load balancer before it: one service with one task,
//! in the place of an HTTP API. Auto scaling and services without a load balancer are refused.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-service.html>

use super::{Context, container, load_balancer};
use crate::template::declaration::{Declaration, ResourceType};
use crate::template::error::Problems;
use crate::template::identity::Kind;
use crate::template::model::ContainerService;
use crate::template::roles::Statements;

const SUPPORTED: [&str; 3] = ["DesiredCount", "LoadBalancers", "TaskDefinition"];
/// Where it runs, how a new version takes the place of an old one, labels.
const WITHOUT_EFFECT: [&str; 10] = [
    "Cluster",
    "DeploymentConfiguration",
    "EnableExecuteCommand",
    "HealthCheckGracePeriodSeconds",
    "LaunchType",
    "NetworkConfiguration",
    "PlatformVersion",
    "PropagateTags",
    "ServiceName",
    "Tags",
];

/// Reads the service of the template, if it has one.
pub(in crate::template) fn read(
    declarations: &[Declaration],
    roles: &Statements,
    context: &Context<'_>,
) -> Result<Option<ContainerService>, Problems> {
    let of_kind = |kind| declarations.iter().filter(move |it| it.kind == kind);
    let mut services = of_kind(ResourceType::Service);
    let Some(service) = services.next() else {
        return Ok(None);
    };
    if services.chain(of_kind(ResourceType::HttpApi)).next().is_some() {
        let message = "beside another service, or an HTTP API, it is not supported by the local cloud";
        return Err(service.place.problem(message).into());
    }
    read_one(service, declarations, roles, context).map(Some)
}

fn read_one(
    service: &Declaration,
    declarations: &[Declaration],
    roles: &Statements,
    context: &Context<'_>,
) -> Result<ContainerService, Problems> {
    let properties = service.resolve(context.scope, &SUPPORTED, &WITHOUT_EFFECT)?;
    let fields = properties.fields()?;
    fields.read("DesiredCount", |node| node.one_of(&["1"]))?;
    let definition = context.referred(
        Kind::TaskDefinition,
        fields.require("TaskDefinition")?,
        declarations,
    )?;
    let container = container::read(definition, context)?;
    let [target] = fields.require("LoadBalancers")?.items()? else {
        return Err(fields.require("LoadBalancers")?.expected("a list of one").into());
    };
    let target = target.fields()?;
    target.allow(&["ContainerName", "ContainerPort", "TargetGroupArn"], &[])?;
    // ECS refuses a load balancer for what the task definition does not have.
    let name = target.require("ContainerName")?;
    if name.text()? != container.name {
        return Err(name.expected("the name of the container").into());
    }
    let port = target.require("ContainerPort")?;
    if port.integer(1..=u16::MAX)? != container.port {
        return Err(port.expected("the port of the container").into());
    }
    let group = context.referred(Kind::TargetGroup, target.require("TargetGroupArn")?, declarations)?;
    Ok(ContainerService {
        logical_id: service.logical_id.clone(),
        code: container.code,
        memory_size: container.memory_size,
        environment: container.environment,
        statements: roles.get(&container.role_name).cloned().unwrap_or_default(),
        role_name: container.role_name,
        load_balancer: load_balancer::before(group, declarations, context)?,
    })
}
