//! FIDELITY.md does not rot: the tests that it names are there, and name their sources.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::{fs, path::Path};

/// What stands in the place of a test where there is none.
const WITHOUT_TEST: [&str; 2] = ["not done", "advice"];

struct Fact {
    /// The line of the table.
    line: String,
    sources: Vec<String>,
    /// Such as `tests/fidelity.rs::every_test_is_there_and_names_its_source`.
    tests: Vec<String>,
}

fn facts() -> Vec<Fact> {
    let rows = include_str!("../FIDELITY.md").lines();
    let rows = rows.filter(|line| line.starts_with("| ") && !line.starts_with("| fact |"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [_, source, test] = cells[..] else {
            panic!("not three cells: {line}")
        };
        let tests: Vec<String> = test
            .split('`')
            .filter(|text| text.contains("::"))
            .map(str::to_owned)
            .collect();
        assert!(
            WITHOUT_TEST.contains(&test) || !tests.is_empty(),
            "neither a test nor the reason why there is none: {line}"
        );
        Fact {
            line: line.to_owned(),
            sources: sources(source),
            tests,
        }
    })
    .collect()
}

/// The names of the pages.
fn sources(text: &str) -> Vec<String> {
    let words = text.split([' ', ',']).filter(|word| word.contains('.'));
    words
        .map(|word| word.rsplit('/').next().unwrap_or_default())
        .map(|page| page.trim_end_matches(".html").to_owned())
        .collect()
}

/// What is wrong with a test that the table names.
fn problem(test: &str, sources: &[String]) -> Option<String> {
    let (file, name) = test.split_once("::")?;
    let Ok(source_code) = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)) else {
        return Some(format!("{file} is not there"));
    };
    let declarations = [format!("fn {name}("), format!("def {name}(")];
    if !declarations
        .iter()
        .any(|declaration| source_code.contains(declaration))
    {
        return Some(format!("{test} is not there"));
    }
    let is_named = sources.iter().any(|page| source_code.contains(page.as_str()));
    (!is_named).then(|| format!("{file} does not name the source of {name}: {sources:?}"))
}

#[test]
fn every_test_is_there_and_names_its_source() {
    let facts = facts();
    assert!(facts.len() > 50, "{} facts", facts.len());
    let unsourced = facts.iter().filter(|fact| fact.sources.is_empty());
    let unsourced = unsourced.map(|fact| format!("no source: {}", fact.line));
    let problems = facts
        .iter()
        .flat_map(|fact| fact.tests.iter().filter_map(|test| problem(test, &fact.sources)));
    let problems: Vec<String> = unsourced.chain(problems).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
