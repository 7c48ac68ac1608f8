//! `AWS::Serverless::HttpApi` with the routes that functions declare as events. API definitions, authorizers,
//! custom domains, stages other than `$default` and throttling are refused.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html>

use std::collections::BTreeSet;
use std::time::Duration;

use super::Context;
use crate::template::declaration::{Declaration, ResourceType};
use crate::template::error::{Place, Problem, Problems};
use crate::template::identity::{Identity, Kind};
use crate::template::model::{CorsConfiguration, HttpApi, Method, Route};
use crate::template::node::Fields;
use crate::template::yaml::{Node, Value};

/// The route for what no other route takes, as a path.
const DEFAULT_ROUTE: &str = "$default";
/// The other name of `ANY`, as an API definition has it.
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";
const SUPPORTED: [&str; 3] = ["CorsConfiguration", "DisableExecuteApiEndpoint", "StageName"];
/// Labels, access logs, and how strictly AWS reads the definition that SAM makes.
const WITHOUT_EFFECT: [&str; 6] = [
    "AccessLogSettings",
    "Description",
    "FailOnWarnings",
    "Name",
    "PropagateTags",
    "Tags",
];

/// A route, and the logical id of the API that it belongs to.
pub(in crate::template) struct DeclaredRoute {
    api: String,
    route: Route,
    place: Place,
}

/// What `Ref` and `Fn::GetAtt` of an API give.
pub(in crate::template) fn identity(logical_id: &str) -> Identity {
    Identity {
        kind: Kind::HttpApi,
        name: logical_id.to_lowercase(),
    }
}

/// Reads the properties of an event of type `HttpApi`.
pub(super) fn route(api: &str, function_name: &str, properties: &Node) -> Result<DeclaredRoute, Problems> {
    let fields = properties.fields()?;
    fields.allow(&["ApiId", "Method", "Path", "PayloadFormatVersion"], &[])?;
    fields.read("PayloadFormatVersion", |node| node.one_of(&["2.0"]))?;
    let (method, path) = match (fields.get("Method"), fields.get("Path")) {
        (None, None) => (Method::Any, DEFAULT_ROUTE.to_owned()),
        _ => (method(fields.require("Method")?)?, path(fields.require("Path")?)?),
    };
    if path == DEFAULT_ROUTE && method != Method::Any {
        return Err(properties
            .problem("the route `$default` takes every method")
            .into());
    }
    let route = Route {
        method,
        path,
        function_name: function_name.to_owned(),
    };
    Ok(DeclaredRoute {
        api: api.to_owned(),
        route,
        place: properties.place.clone(),
    })
}

fn method(node: &Node) -> Result<Method, Problem> {
    let text = node.text()?;
    if text == ANY_METHOD {
        return Ok(Method::Any);
    }
    let found = Method::ALL
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| node.expected(&format!("one of {}", Method::ALL.map(Method::as_str).join(", "))))
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
fn path(node: &Node) -> Result<String, Problem> {
    let path = node.text()?;
    if path == DEFAULT_ROUTE {
        return Ok(path.to_owned());
    }
    let Some(rest) = path.strip_prefix('/') else {
        return Err(node.expected("a path that starts with `/`, or `$default`"));
    };
    let segments: Vec<&str> = rest.split('/').collect();
    let mut variables = BTreeSet::new();
    for (index, segment) in segments.iter().enumerate() {
        if !segment.contains(['{', '}']) {
            continue;
        }
        let last = index + 1 == segments.len();
        let name = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
            .unwrap_or_default();
        let name = if last {
            name.strip_suffix('+').unwrap_or(name)
        } else {
            name
        };
        let fits = |one: char| one.is_ascii_alphanumeric() || "-_.:".contains(one);
        if name.is_empty() || !name.chars().all(fits) {
            let expected = "variables as whole segments, `{name}`, or `{name+}` at the end";
            return Err(node.expected(expected));
        }
        if !variables.insert(name) {
            return Err(node.problem(format!("the variable `{name}` stands twice in the path")));
        }
    }
    Ok(path.to_owned())
}

/// Brings the API of the template and its routes together.
pub(in crate::template) fn read(
    declarations: &[Declaration],
    routes: Vec<DeclaredRoute>,
    context: &Context<'_>,
) -> Result<Option<HttpApi>, Problems> {
    let mut apis = declarations
        .iter()
        .filter(|declaration| declaration.kind == ResourceType::HttpApi);
    let api = apis.next();
    if let Some(second) = apis.next() {
        let message = "a second HTTP API in one template is not supported by the local cloud";
        return Err(second
            .place
            .problem(format!("{message} (SAM makes one for events without an ApiId)"))
            .into());
    }
    check_routes(&routes, api)?;
    let Some(api) = api else { return Ok(None) };
    let properties = api.resolve(context.scope, &SUPPORTED, &WITHOUT_EFFECT)?;
    let fields = properties.fields()?;
    fields.read("StageName", |node| node.one_of(&[DEFAULT_ROUTE]))?;
    fields.read("DisableExecuteApiEndpoint", |node| node.one_of(&["false"]))?;
    Ok(Some(HttpApi {
        logical_id: api.logical_id.clone(),
        id: context.identity(api)?.name.clone(),
        routes: routes.into_iter().map(|declared| declared.route).collect(),
        cors: fields.read("CorsConfiguration", cors)?.flatten(),
    }))
}

/// Every route belongs to the API, and none is declared twice.
fn check_routes(routes: &[DeclaredRoute], api: Option<&Declaration>) -> Result<(), Problems> {
    let mut problems = Problems::default();
    let mut known = BTreeSet::new();
    for DeclaredRoute {
        api: declared,
        route,
        place,
    } in routes
    {
        if api.is_none_or(|api| api.logical_id != *declared) {
            let message = format!("`{declared}` is not an AWS::Serverless::HttpApi of this template");
            problems.push(place.problem(message));
        }
        let Route { method, path, .. } = route;
        if !known.insert((method.as_str(), path)) {
            problems.push(place.problem(format!("the route `{method} {path}` is declared twice")));
        }
    }
    problems.check()
}

/// `true` stands for every origin.
fn cors(node: &Node) -> Result<Option<CorsConfiguration>, Problems> {
    if let Value::Scalar(_) = node.value {
        let configuration = CorsConfiguration {
            allow_origins: vec!["*".to_owned()],
            ..Default::default()
        };
        return Ok(node.boolean()?.then_some(configuration));
    }
    let fields = node.fields()?;
    let names = [
        "AllowCredentials",
        "AllowHeaders",
        "AllowMethods",
        "AllowOrigins",
        "ExposeHeaders",
        "MaxAge",
    ];
    fields.allow(&names, &[])?;
    let configuration = CorsConfiguration {
        allow_credentials: fields.read("AllowCredentials", Node::boolean)?.unwrap_or(false),
        allow_headers: texts(fields, "AllowHeaders")?,
        allow_methods: texts(fields, "AllowMethods")?,
        allow_origins: texts(fields, "AllowOrigins")?,
        expose_headers: texts(fields, "ExposeHeaders")?,
        max_age: fields
            .read("MaxAge", |node| node.integer(0..=86_400))?
            .map(Duration::from_secs),
    };
    if configuration.allow_credentials && configuration.allow_origins.iter().any(|origin| origin == "*") {
        return Err(node
            .problem("AllowCredentials cannot be true while AllowOrigins is `*`")
            .into());
    }
    Ok(Some(configuration))
}

fn texts(fields: Fields<'_>, name: &str) -> Result<Vec<String>, Problem> {
    Ok(fields.read(name, Node::texts)?.unwrap_or_default())
}
