//! `results.json`: everything that was measured, for programs and for later comparisons.

use anyhow::Result;

use super::Report;
use crate::results::Results;

pub(super) struct Json;

impl Report for Json {
    fn file_name(&self) -> &'static str {
        "results.json"
    }

    fn render(&self, results: &Results) -> Result<String> {
        Ok(serde_json::to_string(results)? + "\n")
    }
}
