//! An HTTP API as a template declares it: its routes, what answers them, and what is done before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use super::Statement;

/// An HTTP API of API Gateway, with the stage `$default`, Lambda proxy integrations of payload format 2.0, and
/// integrations with SQS.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpApi {
    /// The name of the resource in the template, or `ServerlessHttpApi`.
    pub logical_id: String,
    /// The API id, as in `requestContext.apiId`.
    pub id: String,
    /// The routes: those of the functions' events, then those of the API's own definition.
    pub routes: Vec<Route>,
    /// Cross-origin resource sharing, where API Gateway answers for it.
    pub cors: Option<CorsConfiguration>,
    /// The keys of the routes for which callers have to sign, and to be allowed `execute-api:Invoke`.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html>
    pub routes_with_iam: BTreeSet<String>,
    /// How many requests routes take.
    pub throttling: ThrottlingSettings,
    /// The format of the access log's lines, with `$context` variables, where requests are logged.
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging.html>
    pub access_log_format: Option<String>,
}

/// The throttling of the routes of an HTTP API.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThrottlingSettings {
    /// That of the routes without their own.
    pub default: Option<Throttling>,
    /// That of single routes, by their keys.
    pub routes: BTreeMap<String, Throttling>,
}

impl ThrottlingSettings {
    /// The throttling of a route.
    pub fn of(&self, route_key: &str) -> Option<Throttling> {
        self.routes.get(route_key).copied().or(self.default)
    }
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttling {
    /// The most requests at once: the tokens of a full bucket.
    pub burst: u32,
    /// Requests per second: the tokens that are added.
    pub rate: f64,
}

/// A route of an HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method it takes.
    pub method: Method,
    /// `/tasks/{id}`, `/{proxy+}`, or `$default` for what no other route takes.
    pub path: String,
    /// What answers.
    pub target: Target,
}

/// What answers the requests to a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The function of that name.
    Function(String),
    /// A queue, to which API Gateway itself sends.
    SendMessage(SendMessage),
}

/// A first-class integration of the subtype `SQS-SendMessage`: the body of a request becomes a message.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-aws-services.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendMessage {
    /// ARN of the queue.
    pub queue_arn: String,
    /// The name of the role under which API Gateway sends.
    pub role_name: String,
    /// What that role allows and denies.
    pub statements: Vec<Statement>,
    /// How responses of the service are changed, by their status.
    pub response_parameters: BTreeMap<u16, Vec<ResponseParameter>>,
}

/// A change of a response, by a static value.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-parameter-mapping.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseParameter {
    /// The status becomes this one.
    OverwriteStatus(u16),
    /// The header gets a further value.
    AppendHeader(String, String),
    /// The header gets this value in the place of its own.
    OverwriteHeader(String, String),
    /// The header is left out.
    RemoveHeader(String),
}

impl Route {
    /// The path of the route that takes what no other does.
    pub const DEFAULT: &'static str = "$default";

    /// As in `GET /tasks/{id}`, or `$default`.
    pub fn key(&self) -> String {
        match self.path.as_str() {
            Self::DEFAULT => Self::DEFAULT.to_owned(),
            path => format!("{} {path}", self.method),
        }
    }
}

/// The method of a route.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the variants are the methods of HTTP")]
pub enum Method {
    /// Every method that no other route of the path takes.
    Any,
    Delete,
    Get,
    Head,
    Options,
    Patch,
    Post,
    Put,
}

impl Method {
    /// Every method that a route can have.
    pub const ALL: [Self; 8] = [
        Self::Any,
        Self::Delete,
        Self::Get,
        Self::Head,
        Self::Options,
        Self::Patch,
        Self::Post,
        Self::Put,
    ];

    /// The method as a route key has it: `ANY`, `GET`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "ANY",
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Cross-origin resource sharing of an HTTP API.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CorsConfiguration {
    /// Whether requests may carry credentials.
    pub allow_credentials: bool,
    /// Headers that a request may have.
    pub allow_headers: Vec<String>,
    /// Methods that a request may have.
    pub allow_methods: Vec<String>,
    /// Origins that may call; `*` for all.
    pub allow_origins: Vec<String>,
    /// Response headers that a page may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may keep the answer to a preflight request.
    pub max_age: Option<Duration>,
}
