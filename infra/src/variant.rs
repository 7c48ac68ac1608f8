//! Where the template of a variant is, and how the command line sets its parameters.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The template that stands for a variant, or that a path names. Those of the variants stand beside this package's own
/// sources.
///
/// # Errors
///
/// There is no such variant, or no such file.
pub(crate) fn template_path(template: &str) -> anyhow::Result<PathBuf> {
    let given = Path::new(template);
    if given.extension().is_some() {
        return given.canonicalize().with_context(|| {
            format!("there is no template {template}; a variant is given by its name, as split-lambda")
        });
    }
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = directory.join(template).with_extension("yaml");
    if !path.is_file() {
        bail!(
            "there is no variant {template}: give one of {}, or the path of a template",
            variants(directory)?
        );
    }
    Ok(path)
}

fn variants(directory: &Path) -> anyhow::Result<String> {
    let mut names = Vec::new();
    for entry in directory.read_dir()? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names.join(", "))
}

/// Reads `KEY=VALUE`.
///
/// # Errors
///
/// It is not of that form; the text says so to the user.
pub(crate) fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("give it as KEY=VALUE".to_owned()),
    }
}
