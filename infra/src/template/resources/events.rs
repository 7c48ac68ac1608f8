//! The `Events` of a SAM function: routes of an HTTP API, and queues. SAM makes an API of its own,
//! `ServerlessHttpApi`, for routes that name none.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html>

use super::api::{DeclaredRoute, route};
use super::{Context, mapping};
use crate::template::declaration::{Declaration, ResourceType};
use crate::template::error::{Place, Problem, Problems};
use crate::template::model::EventSourceMapping;
use crate::template::node::Fields;
use crate::template::yaml::{Intrinsic, Node, Value};

/// Logical id of the API that SAM makes.
const IMPLICIT_API: &str = "ServerlessHttpApi";

/// What the events of one function come to.
#[derive(Default)]
pub(in crate::template) struct Events {
    pub(in crate::template) mappings: Vec<(EventSourceMapping, Place)>,
    pub(in crate::template) routes: Vec<DeclaredRoute>,
}

/// Reads the events of a function.
pub(in crate::template) fn read(
    declaration: &Declaration,
    context: &Context<'_>,
) -> Result<Events, Problems> {
    let mut events = Events::default();
    let Some(section) = declaration.properties.fields()?.get("Events") else {
        return Ok(events);
    };
    let mut problems = Problems::default();
    for (name, node) in section.fields()?.entries() {
        problems.absorb(read_one(&mut events, name, node, declaration, context));
    }
    problems.check()?;
    Ok(events)
}

fn read_one(
    events: &mut Events,
    name: &str,
    node: &Node,
    declaration: &Declaration,
    context: &Context<'_>,
) -> Result<(), Problems> {
    let fields = node.fields()?;
    fields.allow(&["Properties", "Type"], &[])?;
    let properties = match fields.get("Properties") {
        Some(properties) => context.scope.value(properties)?,
        None => Node {
            place: node.place.part("Properties"),
            value: Value::Mapping(Vec::new()),
        },
    };
    let function = &context.identity(declaration)?.name;
    let kind = fields.require("Type")?;
    match kind.text()? {
        "HttpApi" => {
            let api = api_of(fields)?;
            events.routes.push(route(api, function, &properties)?);
        }
        "SQS" => {
            let logical_id = format!("{}{name}", declaration.logical_id);
            let mapping = mapping::read_event(logical_id, function, &properties, context)?;
            events.mappings.push((mapping, node.place.clone()));
        }
        other => {
            let message =
                format!("events of type `{other}` are not supported by the local cloud, but HttpApi and SQS");
            return Err(kind.problem(message).into());
        }
    }
    Ok(())
}

/// The logical ids of the APIs that the events of a function belong to.
pub(in crate::template) fn apis(declaration: &Declaration) -> Result<Vec<&str>, Problem> {
    if declaration.kind != ResourceType::Function {
        return Ok(Vec::new());
    }
    let Some(events) = declaration.properties.fields()?.get("Events") else {
        return Ok(Vec::new());
    };
    let mut apis = Vec::new();
    for (_, event) in events.fields()?.entries() {
        let event = event.fields()?;
        if event.require("Type")?.text()? == "HttpApi" {
            apis.push(api_of(event)?);
        }
    }
    Ok(apis)
}

/// The logical id of the API of an event. SAM takes it from the `Ref` itself, so nothing else can stand there.
fn api_of(event: Fields<'_>) -> Result<&str, Problem> {
    let properties = event.get("Properties").map(Node::fields).transpose()?;
    let Some(api) = properties.and_then(|properties| properties.get("ApiId")) else {
        return Ok(IMPLICIT_API);
    };
    match &api.value {
        Value::Call(Intrinsic::Ref, name) => name.text(),
        _ => Err(api.expected("`!Ref` of an AWS::Serverless::HttpApi of this template")),
    }
}

/// Whether a queue invokes the function through one of its events.
pub(in crate::template) fn has_queue(declaration: &Declaration) -> Result<bool, Problem> {
    let Some(events) = declaration.properties.fields()?.get("Events") else {
        return Ok(false);
    };
    for (_, event) in events.fields()?.entries() {
        if event.fields()?.require("Type")?.text()? == "SQS" {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Declares the API that SAM makes where an event names none.
pub(in crate::template) fn add_implicit_api(declarations: &mut Vec<Declaration>) -> Result<(), Problem> {
    let mut place = None;
    for declaration in declarations.iter() {
        if declaration.logical_id == IMPLICIT_API {
            return Ok(());
        }
        if apis(declaration)?.contains(&IMPLICIT_API) && place.is_none() {
            place = Some(declaration.place.clone());
        }
    }
    declarations.extend(place.map(|place| Declaration {
        logical_id: IMPLICIT_API.to_owned(),
        kind: ResourceType::HttpApi,
        resource_type: "AWS::Serverless::HttpApi".to_owned(),
        properties: Node {
            place: place.clone(),
            value: Value::Mapping(Vec::new()),
        },
        place,
        metadata: None,
        depends_on: Vec::new(),
    }));
    Ok(())
}
