//! From the bytes of a template to its [`Stack`]: the steps of the reading, in their order.

use std::path::Path;

use super::declaration::{self, Declaration, ResourceType};
use super::dependencies::{self, generated_role};
use super::error::{Place, Problem, Problems};
use super::identity::{Identity, Kind};
use super::intrinsics::Scope;
use super::model::{EventSourceMapping, Function, Output, Queue, Resource, Stack, Table};
use super::node::Fields;
use super::resources::api::{self, DeclaredRoute};
use super::resources::{self, Context, events, function, mapping, queue, service, table};
use super::yaml::{self, Node};
use super::{Settings, checks, conditions, globals, parameters, roles};

const SECTIONS: [&str; 8] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Globals",
    "Mappings",
    "Outputs",
    "Parameters",
    "Resources",
    "Transform",
];
const SECTIONS_WITHOUT_EFFECT: [&str; 2] = ["Description", "Metadata"];
const SAM: &str = "AWS::Serverless-2016-10-31";

/// Reads a template that stands in this folder.
pub(super) fn read(bytes: &[u8], directory: &Path, settings: &Settings) -> Result<Stack, Problems> {
    let document = yaml::parse(text(bytes)?)?;
    let sections = document.fields()?;
    let (declarations, mut scope) = declared(sections, settings)?;
    let order = dependencies::order(&declarations, &scope)?;
    identify(&order, &declarations, &mut scope)?;
    assemble(
        &declarations,
        sections,
        &Context {
            scope: &scope,
            directory,
        },
    )
}

/// Lists what a template creates.
pub(super) fn resources(bytes: &[u8], settings: &Settings) -> Result<Vec<Resource>, Problems> {
    let document = yaml::parse(text(bytes)?)?;
    let (declarations, _) = declared(document.fields()?, settings)?;
    let roles = declarations.iter().filter_map(generated_role);
    let roles = roles.map(|role| (role, "AWS::IAM::Role"));
    let declared = declarations
        .iter()
        .map(|declaration| (declaration.logical_id.clone(), declaration.resource_type.as_str()));
    let all = declared.chain(roles);
    Ok(all
        .map(|(logical_id, resource_type)| Resource {
            logical_id,
            resource_type: resource_type.to_owned(),
        })
        .collect())
}

/// The resources, with the defaults of `Globals`, and what their values can refer to.
fn declared<'a>(
    sections: Fields<'a>,
    settings: &'a Settings,
) -> Result<(Vec<Declaration>, Scope<'a>), Problems> {
    sections.allow(&SECTIONS, &SECTIONS_WITHOUT_EFFECT)?;
    check_header(sections)?;
    let values = parameters::read(sections.get("Parameters"), &settings.parameters)?;
    let mut scope = Scope::new(settings, values, sections.get("Mappings"));
    conditions::evaluate(sections.get("Conditions"), &mut scope)?;
    let mut declarations = declaration::read(sections.require("Resources")?, &mut scope)?;
    events::add_implicit_api(&mut declarations)?;
    globals::apply(sections.get("Globals"), &mut declarations)?;
    Ok((declarations, scope))
}

fn text(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))
}

fn not_utf8(bytes: &[u8], position: usize) -> Problem {
    let line = bytes[..position].split(|byte| *byte == b'\n').count();
    Place {
        line,
        path: String::new(),
    }
    .problem("the template is not UTF-8 text")
}

fn check_header(sections: Fields<'_>) -> Result<(), Problems> {
    let mut problems = Problems::default();
    problems.absorb(sections.read("AWSTemplateFormatVersion", |node| node.one_of(&["2010-09-09"])));
    if let Some(transforms) = sections.get("Transform") {
        for transform in transforms.one_or_more() {
            problems.absorb(transform.one_of(&[SAM]));
        }
    } else {
        let place = Place {
            line: 1,
            path: "Transform".to_owned(),
        };
        problems.push(place.problem(format!("missing: `Transform: {SAM}` makes this a SAM template")));
    }
    problems.check()
}

/// Makes known what `Ref` and `Fn::GetAtt` of every resource give.
fn identify(order: &[String], declarations: &[Declaration], scope: &mut Scope<'_>) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for logical_id in order {
        let declaration = declarations
            .iter()
            .find(|declaration| declaration.logical_id == *logical_id);
        let identity = match declaration {
            Some(declaration) => problems.absorb(resources::identity(declaration, scope)).flatten(),
            // The only resources that SAM makes and a template refers to.
            None => Some(Identity {
                kind: Kind::Role,
                name: logical_id.clone(),
            }),
        };
        if let Some(identity) = identity {
            scope.identities.insert(logical_id.clone(), identity);
        }
    }
    problems.check()
}

fn assemble(
    declarations: &[Declaration],
    sections: Fields<'_>,
    context: &Context<'_>,
) -> Result<Stack, Problems> {
    let mut problems = Problems::default();
    let mut found = Collected::default();
    for declaration in declarations {
        problems.absorb(found.add(declaration, context));
    }
    let roles = problems.absorb(roles::fill(&mut found.functions, declarations, context));
    let roles = roles.unwrap_or_default();
    let api = problems.absorb(api::read(declarations, found.routes, &roles, context));
    let container_service = problems.absorb(service::read(declarations, &roles, context));
    let outputs = problems.absorb(read_outputs(sections.get("Outputs"), context.scope));
    problems.absorb(checks::names(declarations, context.scope));
    problems.absorb(checks::mappings(&found.mappings, &found.functions, &found.queues));
    problems.absorb(checks::reserved_concurrency(&found.functions, declarations));
    problems.check()?;
    Ok(Stack {
        functions: found.functions,
        queues: found.queues,
        tables: found.tables,
        event_source_mappings: found.mappings.into_iter().map(|(mapping, _)| mapping).collect(),
        api: api.flatten(),
        container_service: container_service.flatten(),
        outputs: outputs.unwrap_or_default(),
    })
}

/// What the resources come to, one by one.
#[derive(Default)]
struct Collected {
    functions: Vec<Function>,
    queues: Vec<Queue>,
    tables: Vec<Table>,
    mappings: Vec<(EventSourceMapping, Place)>,
    routes: Vec<DeclaredRoute>,
}

impl Collected {
    fn add(&mut self, declaration: &Declaration, context: &Context<'_>) -> Result<(), Problems> {
        match declaration.kind {
            ResourceType::Queue => self.queues.push(queue::read(declaration, context)?),
            ResourceType::Table => self.tables.push(table::read(declaration, context)?),
            ResourceType::EventSourceMapping => self.mappings.push(mapping::read(declaration, context)?),
            ResourceType::Function => {
                let mut problems = Problems::default();
                self.functions
                    .extend(problems.absorb(function::read(declaration, context)));
                if let Some(events) = problems.absorb(events::read(declaration, context)) {
                    self.mappings.extend(events.mappings);
                    self.routes.extend(events.routes);
                }
                problems.check()?;
            }
            // The API is read with its routes, roles and policies with the functions that have them, and what belongs
            // to a service with the service.
            ResourceType::HttpApi
            | ResourceType::Service
            | ResourceType::TaskDefinition
            | ResourceType::LoadBalancer
            | ResourceType::TargetGroup
            | ResourceType::Listener
            | ResourceType::Role
            | ResourceType::Policy
            | ResourceType::ManagedPolicy
            | ResourceType::WithoutEffect => {}
        }
        Ok(())
    }
}

fn read_outputs(section: Option<&Node>, scope: &Scope<'_>) -> Result<Vec<Output>, Problems> {
    let Some(section) = section else {
        return Ok(Vec::new());
    };
    let mut problems = Problems::default();
    let mut outputs = Vec::new();
    for (key, node) in section.fields()?.entries() {
        if let Some(output) = problems.absorb(read_output(key, node, scope)) {
            outputs.extend(output);
        }
    }
    problems.check()?;
    Ok(outputs)
}

fn read_output(key: &str, node: &Node, scope: &Scope<'_>) -> Result<Option<Output>, Problems> {
    let fields = node.fields()?;
    fields.allow(&["Condition", "Description", "Value"], &["Export"])?;
    if let Some(condition) = fields.get("Condition")
        && !scope.condition(condition)?
    {
        return Ok(None);
    }
    let description = fields.read("Description", |node| node.text().map(str::to_owned))?;
    let value = scope.text(fields.require("Value")?)?;
    Ok(Some(Output {
        key: key.to_owned(),
        description,
        value,
    }))
}
