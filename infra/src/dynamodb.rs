//! DynamoDB: dynoxide, embedded, in memory, with the tables that the template declares.

use anyhow::{Context as _, anyhow};
use dynoxide::Database;
use serde_json::json;
use tokio::net::TcpListener;

use crate::template::Table;

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
