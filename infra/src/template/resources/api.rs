//! `AWS::Serverless::HttpApi` with the routes that functions declare as events, and those of its own definition, which also
//! says who may use them. Custom domains and stages other than `$default` are refused.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-httpapi.html>

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Context, api_definition, authorization};
use crate::template::declaration::{Declaration, ResourceType};
use crate::template::error::{Place, Problem, Problems};
use crate::template::identity::{Identity, Kind};
use crate::template::model::{
    CorsConfiguration, HttpApi, Method, Route, Target, Throttling, ThrottlingSettings,
};
use crate::template::node::Fields;
use crate::template::roles::Statements;
use crate::template::yaml::{Node, Value};

/// The route for what no other route takes, as a path; also the name of the stage.
const DEFAULT_ROUTE: &str = Route::DEFAULT;
/// The other name of `ANY`, as an API definition has it.
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";
const SUPPORTED: [&str; 6] = [
    "CorsConfiguration",
    "DefaultRouteSettings",
    "DefinitionBody",
    "DisableExecuteApiEndpoint",
    "RouteSettings",
    "StageName",
];
/// Read by itself: the log's destination does not matter here.
const ACCESS_LOG: &str = "AccessLogSettings";
/// Labels, and how strictly AWS reads the definition that SAM makes.
const WITHOUT_EFFECT: [&str; 6] = [
    ACCESS_LOG,
    "Description",
    "FailOnWarnings",
    "Name",
    "PropagateTags",
    "Tags",
];

/// Metrics, and what HTTP APIs do not have.
const ROUTE_SETTINGS_WITHOUT_EFFECT: [&str; 3] =
    ["DataTraceEnabled", "DetailedMetricsEnabled", "LoggingLevel"];
/// What an account allows, in requests at once and per second, where only the other of the two is set.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const ACCOUNT: Throttling = Throttling {
    burst: 5_000,
    rate: 10_000.0,
};

/// A route, and the logical id of the API that it belongs to.
pub(in crate::template) struct DeclaredRoute {
    pub(super) api: String,
    pub(super) route: Route,
    pub(super) place: Place,
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
        target: Target::Function(function_name.to_owned()),
    };
    Ok(DeclaredRoute {
        api: api.to_owned(),
        route,
        place: properties.place.clone(),
    })
}

fn method(node: &Node) -> Result<Method, Problem> {
    let found = method_named(node.text()?);
    found.ok_or_else(|| node.expected(&format!("one of {}", Method::ALL.map(Method::as_str).join(", "))))
}

/// The method that is spelt so, in upper or lower case.
pub(super) fn method_named(text: &str) -> Option<Method> {
    if text == ANY_METHOD {
        return Some(Method::Any);
    }
    Method::ALL
        .into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(text))
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
fn path(node: &Node) -> Result<String, Problem> {
    let path = node.text()?;
    check_path(path, node)?;
    Ok(path.to_owned())
}

/// Checks a path that stands at this place.
pub(super) fn check_path(path: &str, node: &Node) -> Result<(), Problem> {
    if path == DEFAULT_ROUTE {
        return Ok(());
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
    Ok(())
}

/// Brings the API of the template and its routes together.
pub(in crate::template) fn read(
    declarations: &[Declaration],
    mut routes: Vec<DeclaredRoute>,
    roles: &Statements,
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
    let Some(api) = api else {
        return check_routes(&routes, None).map(|()| None);
    };
    let properties = api.resolve(context.scope, &SUPPORTED, &WITHOUT_EFFECT)?;
    let fields = properties.fields()?;
    let defined = fields.read("DefinitionBody", |body| {
        api_definition::routes(&api.logical_id, body, roles, context)
    })?;
    routes.extend(defined.into_iter().flatten());
    check_routes(&routes, Some(api))?;
    fields.read("StageName", |node| node.one_of(&[DEFAULT_ROUTE]))?;
    fields.read("DisableExecuteApiEndpoint", |node| node.one_of(&["false"]))?;
    let routes: Vec<Route> = routes.into_iter().map(|declared| declared.route).collect();
    Ok(Some(HttpApi {
        logical_id: api.logical_id.clone(),
        id: context.identity(api)?.name.clone(),
        throttling: throttling_settings(fields, &routes)?,
        routes_with_iam: fields
            .read("DefinitionBody", |body| {
                authorization::routes_with_iam(body, &routes)
            })?
            .unwrap_or_default(),
        routes,
        cors: fields.read("CorsConfiguration", cors)?.flatten(),
        access_log_format: access_log_format(api, context)?,
    }))
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigatewayv2-stage-routesettings.html>
fn throttling_settings(fields: Fields<'_>, routes: &[Route]) -> Result<ThrottlingSettings, Problems> {
    let mut settings = ThrottlingSettings {
        default: fields.read("DefaultRouteSettings", throttling)?.flatten(),
        routes: BTreeMap::new(),
    };
    let Some(section) = fields.get("RouteSettings") else {
        return Ok(settings);
    };
    for (key, node) in section.fields()?.entries() {
        if !routes.iter().any(|route| route.key() == *key) {
            return Err(node.problem(format!("there is no route `{key}`")).into());
        }
        settings
            .routes
            .extend(throttling(node)?.map(|throttling| (key.clone(), throttling)));
    }
    Ok(settings)
}

fn throttling(node: &Node) -> Result<Option<Throttling>, Problems> {
    let fields = node.fields()?;
    fields.allow(
        &["ThrottlingBurstLimit", "ThrottlingRateLimit"],
        &ROUTE_SETTINGS_WITHOUT_EFFECT,
    )?;
    let burst = fields.read("ThrottlingBurstLimit", |node| node.integer(0..=u32::MAX))?;
    let rate = fields.read("ThrottlingRateLimit", rate)?;
    let is_set = burst.is_some() || rate.is_some();
    Ok(is_set.then(|| Throttling {
        burst: burst.unwrap_or(ACCOUNT.burst),
        rate: rate.unwrap_or(ACCOUNT.rate),
    }))
}

fn rate(node: &Node) -> Result<f64, Problem> {
    let rate = node.text().ok().and_then(|text| text.parse().ok());
    rate.filter(|rate: &f64| rate.is_finite() && *rate >= 0.0)
        .ok_or_else(|| node.expected("a number of requests per second"))
}

fn access_log_format(api: &Declaration, context: &Context<'_>) -> Result<Option<String>, Problems> {
    let Some(settings) = api.properties.fields()?.get(ACCESS_LOG) else {
        return Ok(None);
    };
    let fields = settings.fields()?;
    fields.allow(&["Format"], &["DestinationArn"])?;
    let format = fields.read("Format", |node| context.scope.text(node))?;
    Ok(format)
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
