//! `AWS::ECS::TaskDefinition`: a task of one container. Its image cannot be run here; the metadata of the resource says
//! which binary of a Cargo workspace the image holds, and that is run:
//!
//! ```yaml
//! Metadata:
//!   CargoBinary:
//!     Workspace: ../../
//!     Binary: baseline-always-on
//! ```
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-taskdefinition.html>

use std::collections::BTreeMap;

use super::{Context, function};
use crate::template::declaration::Declaration;
use crate::template::error::{Problem, Problems};
use crate::template::model::Code;
use crate::template::node::Fields;
use crate::template::yaml::Node;

const SUPPORTED: [&str; 2] = ["Memory", "TaskRoleArn"];
/// CPU time is not limited, the image is not pulled, and there is one network and one file system.
const WITHOUT_EFFECT: [&str; 7] = [
    "Cpu",
    "ExecutionRoleArn",
    "Family",
    "NetworkMode",
    "RequiresCompatibilities",
    "RuntimePlatform",
    "Tags",
];
/// Read by itself, container by container.
const CONTAINERS: &str = "ContainerDefinitions";
const OF_A_CONTAINER: [&str; 3] = ["Environment", "Name", "PortMappings"];
const OF_A_CONTAINER_WITHOUT_EFFECT: [&str; 7] = [
    "Essential",
    "HealthCheck",
    "Image",
    "LinuxParameters",
    "LogConfiguration",
    "ReadonlyRootFilesystem",
    "StopTimeout",
];

/// A task of one container.
pub(super) struct Container {
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) code: Code,
    pub(super) memory_size: u32,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) role_name: String,
}

/// Reads a task definition.
pub(super) fn read(definition: &Declaration, context: &Context<'_>) -> Result<Container, Problems> {
    let without_effect = [WITHOUT_EFFECT.as_slice(), &[CONTAINERS]].concat();
    let properties = definition.resolve(context.scope, &SUPPORTED, &without_effect)?;
    let fields = properties.fields()?;
    let containers = definition.properties.fields()?.require(CONTAINERS)?;
    let [container] = containers.items()? else {
        return Err(containers.expected("a list of one container").into());
    };
    let container = container.fields()?;
    container.allow(&OF_A_CONTAINER, &OF_A_CONTAINER_WITHOUT_EFFECT)?;
    let environment = container
        .read("Environment", |node| context.scope.value(node))?
        .map(|node| environment(&node))
        .transpose()?;
    Ok(Container {
        name: context.scope.text(container.require("Name")?)?,
        port: port(&context.scope.value(container.require("PortMappings")?)?)?,
        code: code(definition, context)?,
        memory_size: fields.require("Memory")?.integer(512..=245_760)?,
        environment: environment.unwrap_or_default(),
        role_name: context.role_name(fields.require("TaskRoleArn")?)?,
    })
}

fn environment(node: &Node) -> Result<BTreeMap<String, String>, Problems> {
    let mut environment = BTreeMap::new();
    for variable in node.items()? {
        let fields = variable.fields()?;
        fields.allow(&["Name", "Value"], &[])?;
        let name = fields.require("Name")?.text()?.to_owned();
        environment.insert(name, fields.require("Value")?.text()?.to_owned());
    }
    Ok(environment)
}

fn port(node: &Node) -> Result<u16, Problems> {
    let [mapping] = node.items()? else {
        return Err(node.expected("a list of one port").into());
    };
    let fields = mapping.fields()?;
    fields.allow(
        &["ContainerPort"],
        &["AppProtocol", "HostPort", "Name", "Protocol"],
    )?;
    Ok(fields.require("ContainerPort")?.integer(1..=u16::MAX)?)
}

fn code(definition: &Declaration, context: &Context<'_>) -> Result<Code, Problems> {
    let binary = definition
        .metadata
        .as_ref()
        .map(Node::fields)
        .transpose()?
        .and_then(|metadata| metadata.get("CargoBinary"));
    let missing = || -> Problem {
        let message =
            "needs `Metadata: CargoBinary:` with `Workspace` and `Binary`: the local cloud runs no images";
        definition.place.problem(message)
    };
    let fields: Fields<'_> = binary.ok_or_else(missing)?.fields()?;
    fields.allow(&["Binary", "Workspace"], &[])?;
    Ok(Code::CargoBinary {
        directory: function::directory(fields.require("Workspace")?, context.directory)?,
        binary: fields.require("Binary")?.text()?.to_owned(),
    })
}
