//! Who may use the routes of an HTTP API, as its `DefinitionBody` says: an `OpenAPI` document whose operations name security
//! schemes.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-open-api.html>

use std::collections::BTreeSet;

use super::api::method_named;
use super::api_definition::{INTEGRATION, OPERATION_WITHOUT_EFFECT};
use crate::template::error::{Problem, Problems};
use crate::template::model::Route;
use crate::template::node::Fields;
use crate::template::yaml::Node;

/// Marks the scheme of those who sign with Signature Version 4.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authtype.html>
const AUTH_TYPE: &str = "x-amazon-apigateway-authtype";
/// Holds an authorizer that checks tokens.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>
const AUTHORIZER: &str = "x-amazon-apigateway-authorizer";

/// The keys of the routes that IAM protects.
pub(super) fn routes_with_iam(body: &Node, routes: &[Route]) -> Result<BTreeSet<String>, Problems> {
    let document = body.fields()?;
    document.allow(&["components", "openapi", "paths"], &["info", "tags"])?;
    let schemes = document.read("components", schemes)?.unwrap_or_default();
    let mut protected = BTreeSet::new();
    let Some(paths) = document.get("paths") else {
        return Ok(protected);
    };
    for (path, node) in paths.fields()?.entries() {
        for (name, operation) in node.fields()?.entries() {
            let route = routes
                .iter()
                .find(|route| route.path == *path && Some(route.method) == method_named(name));
            let Some(route) = route else {
                return Err(operation
                    .problem("no function has an event for this route")
                    .into());
            };
            let fields = operation.fields()?;
            fields.allow(&[INTEGRATION, "security"], &OPERATION_WITHOUT_EFFECT)?;
            if is_protected(fields, &schemes)? {
                protected.insert(route.key());
            }
        }
    }
    Ok(protected)
}

/// The names of the schemes, all of which are IAM's.
fn schemes(components: &Node) -> Result<BTreeSet<String>, Problems> {
    let fields = components.fields()?;
    fields.allow(&["securitySchemes"], &["schemas"])?;
    let mut names = BTreeSet::new();
    if let Some(schemes) = fields.get("securitySchemes") {
        for (name, scheme) in schemes.fields()?.entries() {
            let fields = scheme.fields()?;
            if let Some(authorizer) = fields.get(AUTHORIZER) {
                let message =
                    "the local cloud does not check tokens: run the template with another authorizer";
                return Err(authorizer.problem(message).into());
            }
            fields.require(AUTH_TYPE)?.one_of(&["awsSigv4"])?;
            names.insert(name.clone());
        }
    }
    Ok(names)
}

/// Whether the operation requires a scheme.
fn is_protected(operation: Fields<'_>, schemes: &BTreeSet<String>) -> Result<bool, Problem> {
    let Some(security) = operation.get("security") else {
        return Ok(false);
    };
    let requirements = security.items()?;
    for requirement in requirements {
        for (name, node) in requirement.fields()?.entries() {
            if !schemes.contains(name) {
                return Err(node.problem(format!("there is no security scheme `{name}`")));
            }
        }
    }
    Ok(!requirements.is_empty())
}
