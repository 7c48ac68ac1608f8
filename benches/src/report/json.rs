//! `results.json`: everything that was measured, for programs and for later comparisons; and beside it the schema that
//! it keeps to.

use anyhow::Result;
use schemars::schema_for;

use super::Report;
use crate::results::{Results, SCHEMA_FILE};

pub(super) struct Json;

impl Report for Json {
    fn file_name(&self) -> &'static str {
        "results.json"
    }

    fn render(&self, results: &Results) -> Result<String> {
        Ok(serde_json::to_string(results)? + "\n")
    }
}

/// The schema, which is the same for all results: generated from their types, and shipped as a file for those who read
/// results without having run a comparison.
pub(super) struct Schema;

impl Report for Schema {
    fn file_name(&self) -> &'static str {
        SCHEMA_FILE
    }

    fn render(&self, _results: &Results) -> Result<String> {
        Ok(serde_json::to_string_pretty(&schema_for!(Results))? + "\n")
    }
}
