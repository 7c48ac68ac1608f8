//! DynamoDB: dynoxide, embedded, in memory, with the tables that the template declares. It speaks HTTP only, so the
//! AWS endpoint, which answers for who may call it, has a [`Client`].

use std::net::SocketAddr;

use anyhow::{Context as _, anyhow};
use axum::{
    body::Body,
    http::{HeaderValue, Request, Response, StatusCode, Uri, header, request::Parts},
};
use bytes::Bytes;
use dynoxide::Database;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{iam::Account, template::Table};

/// A database with these tables.
///
/// # Errors
///
/// DynamoDB refuses a table.
pub fn with_tables(tables: &[Table]) -> anyhow::Result<Database> {
    let database = Database::memory().context("cannot open a database in memory")?;
    for table in tables {
        let request = serde_json::from_value(table.create_table.clone())
            .with_context(|| format!("{}: not a CreateTable request", table.logical_id))?;
        database
            .create_table(request)
            .map_err(|error| anyhow!("{}: {error}", table.logical_id))?;
        if let Some(attribute) = &table.time_to_live_attribute {
            let request = serde_json::from_value(json!({
                "TableName": table.name,
                "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true},
            }))?;
            database
                .update_time_to_live(request)
                .map_err(|error| anyhow!("{}: {error}", table.logical_id))?;
        }
    }
    Ok(database)
}

/// Serves the database on `listener`, for ever.
///
/// # Errors
///
/// The listener failed.
pub async fn serve(listener: TcpListener, database: Database) -> std::io::Result<()> {
    dynoxide::server::serve_with_shutdown(listener, database, std::future::pending())
        .await
        .map_err(std::io::Error::other)
}

/// The answer to a request that is throttled: what an on-demand table gives while it grows. Status, type and text were
/// recorded in <https://github.com/praetorian-inc/chariot-ui/issues/684>, the type's name space in the tests of
/// <https://github.com/architect/dynalite>.
pub fn throttled() -> Response<Body> {
    let message = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your \
                   table or index so please try again shortly. If exceptions persist, check if you have a hot key: \
                   https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html";
    let body = json!({"__type": "com.amazon.coral.availability#ThrottlingException", "message": message});
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static("application/x-amz-json-1.0");
    headers.insert(header::CONTENT_TYPE, content_type);
    if let Ok(id) = HeaderValue::try_from(uuid::Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

/// What the ARNs of the embedded database's tables and indexes begin with.
const ITS_ARNS: &str = "arn:aws:dynamodb:dynoxide:000000000000:";

/// The operations whose answers describe a table
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html>).
const DESCRIBING: [&str; 4] = ["CreateTable", "DeleteTable", "DescribeTable", "UpdateTable"];

/// Passes requests on to a database that listens somewhere, over connections that are kept.
#[derive(Debug)]
pub struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    uri: Uri,
    /// What the ARNs of tables begin with.
    arns: String,
}

impl Client {
    /// A client of the database that listens at this address, whose tables belong to this account.
    pub fn new(address: SocketAddr, account: &Account) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut uri = Uri::builder().scheme("http");
        uri = uri.authority(address.to_string()).path_and_query("/");
        Self {
            http: legacy::Client::builder(TokioExecutor::new()).build(connector),
            // An address makes an authority.
            uri: uri.build().unwrap_or_default(),
            arns: format!("arn:aws:dynamodb:{}:{}:", account.region, account.id),
        }
    }

    /// The database's answer to a request, with the account's ARNs in it.
    ///
    /// # Errors
    ///
    /// The database does not answer.
    pub async fn pass_on(&self, request: Parts, body: Bytes) -> anyhow::Result<Response<Body>> {
        let target = request.headers.get("x-amz-target");
        let target = target.and_then(|target| target.to_str().ok());
        let operation = target.and_then(|target| target.split_once('.'));
        let is_describing = operation.is_some_and(|(_, operation)| DESCRIBING.contains(&operation));
        let mut passed_on = Request::new(Full::new(body));
        *passed_on.method_mut() = request.method;
        *passed_on.uri_mut() = self.uri.clone();
        *passed_on.headers_mut() = request.headers;
        // They belong to the client's connection.
        for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING] {
            passed_on.headers_mut().remove(name);
        }
        let response = self.http.request(passed_on).await?;
        if !is_describing {
            return Ok(response.map(Body::new));
        }
        let (mut answer, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        // They belong to the database's text.
        for name in ["content-length", "x-amz-crc32"] {
            answer.headers.remove(name);
        }
        Ok(Response::from_parts(answer, self.with_our_arns(&body).into()))
    }

    /// An answer with the ARNs of the account in place of the database's own. What is no JSON stays as it is.
    fn with_our_arns(&self, body: &Bytes) -> Bytes {
        let Ok(mut answer) = serde_json::from_slice(body) else {
            return body.clone();
        };
        self.replace_arns(&mut answer);
        answer.to_string().into()
    }

    fn replace_arns(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace_arns(item)),
            Value::Object(members) => {
                for (name, member) in members {
                    let arn = member.as_str().and_then(|text| text.strip_prefix(ITS_ARNS));
                    match arn {
                        // Streams are found by the database's own ARNs.
                        Some(resource) if ["TableArn", "IndexArn"].contains(&name.as_str()) => {
                            *member = format!("{}{resource}", self.arns).into();
                        }
                        _ => self.replace_arns(member),
                    }
                }
            }
            _ => {}
        }
    }
}
