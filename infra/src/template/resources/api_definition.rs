//! The routes that an HTTP API itself defines, in its `DefinitionBody`: those whose requests API Gateway sends to a queue.
//! Routes to functions are events of the functions; who may use either is read elsewhere (`authorization`).
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html>

use std::collections::BTreeMap;

use super::Context;
use super::api::{self, DeclaredRoute};
use crate::template::error::{Problem, Problems};
use crate::template::identity::Kind;
use crate::template::model::{ResponseParameter, Route, SendMessage, Target};
use crate::template::roles::Statements;
use crate::template::yaml::Node;

pub(super) const INTEGRATION: &str = "x-amazon-apigateway-integration";

/// What a document says of an operation to its readers.
pub(super) const OPERATION_WITHOUT_EFFECT: [&str; 7] = [
    "description",
    "operationId",
    "parameters",
    "requestBody",
    "responses",
    "summary",
    "tags",
];

/// Headers that no mapping may touch; a star stands for the rest of the name.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html#http-api-mapping-reserved-headers>
const RESERVED_HEADERS: [&str; 22] = [
    "access-control-*",
    "apigw-*",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amz-*",
    "x-amzn-*",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// Reads the definition of the API with that logical id.
pub(super) fn routes(
    api: &str,
    body: &Node,
    roles: &Statements,
    context: &Context<'_>,
) -> Result<Vec<DeclaredRoute>, Problems> {
    let document = body.fields()?;
    document.allow(&["components", "openapi", "paths"], &["info", "tags"])?;
    let mut problems = Problems::default();
    let mut routes = Vec::new();
    for (path, node) in document.require("paths")?.fields()?.entries() {
        problems.absorb(api::check_path(path, node));
        for (name, operation) in node.fields()?.entries() {
            let Some(method) = api::method_named(name) else {
                problems.push(operation.problem("not a method"));
                continue;
            };
            if operation.fields()?.get(INTEGRATION).is_none() {
                continue;
            }
            let target = problems.absorb(integration(operation, roles, context));
            routes.extend(target.map(|integration| DeclaredRoute {
                api: api.to_owned(),
                route: Route {
                    method,
                    path: path.clone(),
                    target: Target::SendMessage(integration),
                },
                place: operation.place.clone(),
            }));
        }
    }
    problems.check()?;
    Ok(routes)
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html>
fn integration(operation: &Node, roles: &Statements, context: &Context<'_>) -> Result<SendMessage, Problems> {
    let fields = operation.fields()?;
    fields.allow(&[INTEGRATION, "security"], &OPERATION_WITHOUT_EFFECT)?;
    let fields = fields.require(INTEGRATION)?.fields()?;
    let supported = [
        "connectionType",
        "credentials",
        "integrationSubtype",
        "payloadFormatVersion",
        "requestParameters",
        "responseParameters",
        "type",
    ];
    fields.allow(&supported, &["description"])?;
    fields
        .require("integrationSubtype")?
        .one_of(&["SQS-SendMessage"])?;
    let kind = fields.require("type")?;
    if !kind.text()?.eq_ignore_ascii_case("aws_proxy") {
        return Err(kind.expected("aws_proxy").into());
    }
    fields.require("payloadFormatVersion")?.one_of(&["1.0"])?;
    fields.read("connectionType", |node| node.one_of(&["INTERNET"]))?;
    let role_name = context.role_name(fields.require("credentials")?)?;
    Ok(SendMessage {
        queue_arn: queue_arn(fields.require("requestParameters")?, context)?,
        statements: roles.get(&role_name).cloned().unwrap_or_default(),
        role_name,
        response_parameters: fields
            .read("responseParameters", response_parameters)?
            .unwrap_or_default(),
    })
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services-reference.html>
fn queue_arn(parameters: &Node, context: &Context<'_>) -> Result<String, Problems> {
    let fields = parameters.fields()?;
    fields.allow(&["MessageBody", "QueueUrl"], &[])?;
    fields.require("MessageBody")?.one_of(&["$request.body"])?;
    let url = fields.require("QueueUrl")?;
    let text = url.text()?;
    let settings = context.scope.settings;
    let queue = context.find(Kind::Queue, |queue| queue.queue_url(settings) == text);
    match queue {
        Some((_, queue)) => Ok(queue.arn(settings)),
        None => Err(url.expected("the URL of a queue of this template").into()),
    }
}

fn response_parameters(node: &Node) -> Result<BTreeMap<u16, Vec<ResponseParameter>>, Problems> {
    let mut parameters = BTreeMap::new();
    for (status, node) in node.fields()?.entries() {
        let changes: Result<Vec<_>, Problem> = node.fields()?.entries().iter().map(change).collect();
        parameters.insert(status_code(status, node)?, changes?);
    }
    Ok(parameters)
}

/// One change, such as `overwrite:statuscode`. Where the value would have to be looked up, it is refused.
fn change((key, node): &(String, Node)) -> Result<ResponseParameter, Problem> {
    let value = node.text()?;
    if value.contains('$') {
        return Err(node.problem("only static values are supported by the local cloud"));
    }
    if key == "overwrite:statuscode" {
        return Ok(ResponseParameter::OverwriteStatus(status_code(value, node)?));
    }
    let expected =
        || node.problem("expected `overwrite:statuscode`, or append, overwrite or remove of `header.NAME`");
    let (action, name) = key.split_once(":header.").ok_or_else(expected)?;
    check_header(name, node)?;
    let (name, value) = (name.to_owned(), value.to_owned());
    match action {
        "append" => Ok(ResponseParameter::AppendHeader(name, value)),
        "overwrite" => Ok(ResponseParameter::OverwriteHeader(name, value)),
        "remove" => Ok(ResponseParameter::RemoveHeader(name)),
        _ => Err(expected()),
    }
}

fn check_header(name: &str, node: &Node) -> Result<(), Problem> {
    let lower = name.to_ascii_lowercase();
    let is_reserved = RESERVED_HEADERS
        .iter()
        .any(|reserved| match reserved.strip_suffix('*') {
            Some(start) => lower.starts_with(start),
            None => lower == *reserved,
        });
    if is_reserved {
        return Err(node.problem(format!("API Gateway reserves the header `{name}` for itself")));
    }
    let is_name = |one: char| one.is_ascii_alphanumeric() || "-_".contains(one);
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(node.problem(format!("`{name}` is not the name of a header")));
    }
    Ok(())
}

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigatewayv2-integration-responseparameter.html>
fn status_code(text: &str, node: &Node) -> Result<u16, Problem> {
    let status = text.parse().ok().filter(|status| (200..600).contains(status));
    status.ok_or_else(|| node.problem(format!("expected a status from 200 to 599, found `{text}`")))
}
