//! Templates of the variants, with changes.

use std::{fs, path::Path};

use tempfile::TempDir;

/// A copy of a variant's template in a folder of its own; removed when dropped.
pub(crate) struct Template {
    _directory: TempDir,
    pub(crate) path: String,
}

impl Template {
    /// The variant's template in which each of these texts is replaced once.
    pub(crate) fn changed(variant: &str, changes: &[(&str, &str)]) -> Self {
        Self::changed_file(&format!("{}/{variant}.yaml", env!("CARGO_MANIFEST_DIR")), changes)
    }

    /// The same of any template of the workspace.
    pub(crate) fn changed_file(file: &str, changes: &[(&str, &str)]) -> Self {
        let mut template = fs::read_to_string(file).unwrap();
        for (from, to) in changes {
            assert!(template.contains(from), "{file} has no {from:?}");
            template = template.replacen(from, to, 1);
        }
        Self::new(&template)
    }

    /// The variant's template.
    pub(crate) fn text(variant: &str) -> String {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::read_to_string(package.join(variant).with_extension("yaml")).unwrap()
    }

    /// A template with this text.
    pub(crate) fn new(template: &str) -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workspace = package.parent().unwrap().display().to_string();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("template.yaml");
        fs::write(
            &path,
            template
                .replace("CodeUri: ../../", "CodeUri: ../")
                .replace("CodeUri: ../", &format!("CodeUri: {workspace}")),
        )
        .unwrap();
        Self {
            path: path.display().to_string(),
            _directory: directory,
        }
    }

    /// The variant's template in which every function has one more variable.
    pub(crate) fn with_variable(variant: &str, name: &str, value: &str) -> Self {
        let table = "TABLE_NAME: !Ref TaskTable\n";
        // The variables stand in the one function, or in the globals.
        let indentation = if variant == "self-invoke" { 10 } else { 8 };
        let more = format!("{table}{:indentation$}{name}: {value}\n", "");
        Self::changed(variant, &[(table, &more)])
    }
}
