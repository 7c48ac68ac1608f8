//! An Application Load Balancer: `AWS::ElasticLoadBalancingV2::LoadBalancer`, a listener that forwards everything, and the
//! target group that it forwards to. Rules, TLS as seen by clients, and other health checks than a 200 are refused or do
//! not matter here.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ElasticLoadBalancingV2.html>

use std::time::Duration;

use super::Context;
use crate::template::declaration::{Declaration, ResourceType};
use crate::template::error::Problems;
use crate::template::identity::Kind;
use crate::template::model::LoadBalancer;
use crate::template::yaml::Node;

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
const IDLE_TIMEOUT: &str = "idle_timeout.timeout_seconds";
const DEFAULT_IDLE_TIMEOUT: u64 = 60;

const LOAD_BALANCER: [&str; 2] = ["LoadBalancerAttributes", "Type"];
const LOAD_BALANCER_WITHOUT_EFFECT: [&str; 6] = [
    "IpAddressType",
    "Name",
    "Scheme",
    "SecurityGroups",
    "Subnets",
    "Tags",
];

const LISTENER: [&str; 2] = ["DefaultActions", "LoadBalancerArn"];
const LISTENER_WITHOUT_EFFECT: [&str; 4] = ["Certificates", "Port", "Protocol", "SslPolicy"];

const TARGET_GROUP: [&str; 1] = ["HealthCheckPath"];
/// How often and how long the health check is made is the local cloud's own matter.
const TARGET_GROUP_WITHOUT_EFFECT: [&str; 11] = [
    "HealthCheckIntervalSeconds",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "Name",
    "Port",
    "Protocol",
    "Tags",
    "TargetGroupAttributes",
    "TargetType",
    "UnhealthyThresholdCount",
    "VpcId",
];

/// The load balancer whose listener forwards to that target group.
pub(super) fn before(
    group: &Declaration,
    declarations: &[Declaration],
    context: &Context<'_>,
) -> Result<LoadBalancer, Problems> {
    let listeners: Vec<_> = declarations
        .iter()
        .filter(|it| it.kind == ResourceType::Listener)
        .collect();
    let [listener] = listeners.as_slice() else {
        return Err(group
            .place
            .problem("expected exactly one listener beside it")
            .into());
    };
    let properties = listener.resolve(context.scope, &LISTENER, &LISTENER_WITHOUT_EFFECT)?;
    let fields = properties.fields()?;
    let actions = fields.require("DefaultActions")?;
    let [action] = actions.items()? else {
        return Err(actions.expected("a list of one action").into());
    };
    let action = action.fields()?;
    action.allow(&["TargetGroupArn", "Type"], &[])?;
    action.require("Type")?.one_of(&["forward"])?;
    let target = action.require("TargetGroupArn")?;
    if context
        .referred(Kind::TargetGroup, target, declarations)?
        .logical_id
        != group.logical_id
    {
        return Err(target.expected("the target group of the service").into());
    }
    let balancer = context.referred(
        Kind::LoadBalancer,
        fields.require("LoadBalancerArn")?,
        declarations,
    )?;
    Ok(LoadBalancer {
        idle_timeout: idle_timeout(balancer, context)?,
        health_check_path: health_check_path(group, context)?,
    })
}

fn idle_timeout(balancer: &Declaration, context: &Context<'_>) -> Result<Duration, Problems> {
    let properties = balancer.resolve(context.scope, &LOAD_BALANCER, &LOAD_BALANCER_WITHOUT_EFFECT)?;
    let fields = properties.fields()?;
    fields.read("Type", |node| node.one_of(&["application"]))?;
    let mut seconds = DEFAULT_IDLE_TIMEOUT;
    let attributes = fields
        .get("LoadBalancerAttributes")
        .map(Node::items)
        .transpose()?;
    for attribute in attributes.unwrap_or_default() {
        let fields = attribute.fields()?;
        fields.allow(&["Key", "Value"], &[])?;
        fields.require("Key")?.one_of(&[IDLE_TIMEOUT])?;
        seconds = fields.require("Value")?.integer(1..=4_000)?;
    }
    Ok(Duration::from_secs(seconds))
}

/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>
fn health_check_path(group: &Declaration, context: &Context<'_>) -> Result<String, Problems> {
    let properties = group.resolve(context.scope, &TARGET_GROUP, &TARGET_GROUP_WITHOUT_EFFECT)?;
    let path = properties.fields()?.get("HealthCheckPath");
    Ok(path.map_or(Ok("/"), Node::text)?.to_owned())
}
