//! The reports: the same results for three kinds of reader. Each format is a file of its own behind [`Report`];
//! `tables`, `text` and `method` say what all of them say.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::results::Results;

mod chart;
pub mod format;
mod html;
mod json;
mod markdown;
mod method;
mod sections;
mod tables;
pub mod terminal;
mod text;

/// A format of the report.
pub trait Report {
    /// The name of its file.
    fn file_name(&self) -> &'static str;

    /// The whole file.
    ///
    /// # Errors
    /// Fails when the results cannot be written in this format.
    fn render(&self, results: &Results) -> Result<String>;
}

/// The one to open comes last: there it is seen on a terminal.
const REPORTS: [&dyn Report; 4] = [&json::Schema, &json::Json, &markdown::Markdown, &html::Html];

/// Writes the results in every format, and says where; and the curves of the report into `charts`, each as SVG.
///
/// # Errors
/// Fails when a file cannot be written.
pub fn write(results: &Results, folder: &Path) -> Result<Vec<PathBuf>> {
    let charts = folder.join("charts");
    fs::create_dir_all(&charts).with_context(|| format!("cannot make {}", charts.display()))?;
    let write = |report: &&dyn Report| {
        let path = folder.join(report.file_name());
        let text = report
            .render(results)
            .with_context(|| format!("cannot render {}", report.file_name()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    };
    let reports = REPORTS.iter().map(write).collect();
    for (name, text) in html::chart_files(results) {
        let path = charts.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    reports
}
