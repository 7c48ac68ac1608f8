//! The reports of made-up results. They are left in Cargo's folder for the files of tests, to be looked at:
//! `target/tmp/report-full` and so on.

#![allow(clippy::unwrap_used, reason = "a test whose scene cannot be set should panic")]

use std::fs;
use std::path::{Path, PathBuf};

use benches::change::{Kind, changes};
use benches::faults::Fault;
use benches::own_task::Plan;
use benches::report::{self, terminal};
use benches::results::{Failure, Results, Settings};
use benches::variant::Variant;
use benches::warnings::{Warning, warnings};
use serde_json::json;

mod fixture;

fn written(name: &str, results: &Results) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    report::write(results, &folder).unwrap();
    folder
}

fn with_a_failure() -> Results {
    let mut results = fixture::results(Settings::quick());
    results.measured.remove(1);
    results.failures.push(Failure {
        variant: Variant::SqsWorker,
        what: "deployment".into(),
        reason: "it <never> became ready".into(),
    });
    results.measured[0].check.as_mut().unwrap().picture.points_inside += 1;
    results.measured[1].check.as_mut().unwrap().accepted += 2;
    results.measured[1].load[0].sent += 7;
    results
}

#[test]
fn the_lead_announces_no_more_than_was_measured() {
    let announced = |results: &Results| {
        let page = fs::read_to_string(written("report-lead", results).join("report.md")).unwrap();
        ["how it breaks", "the ways that people try first"].map(|part| page.contains(part))
    };
    let mut results = fixture::results(Settings::full());
    assert_eq!(announced(&results), [true; 2]);
    for measured in &mut results.measured {
        measured.faults.clear();
        measured.soak = None;
    }
    assert_eq!(announced(&results), [false, true]);
    results
        .measured
        .retain(|measured| measured.variant.is_variant() || measured.variant == Variant::Noop);
    assert_eq!(announced(&results), [false; 2]);
}

#[test]
fn json_comes_back_as_it_was() {
    let results = fixture::results(Settings::full());
    let text = fs::read_to_string(written("report-full", &results).join("results.json")).unwrap();
    assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), results);
    assert!(text.starts_with(r#"{"$schema":"results.schema.json","schema_version":3,"#));
}

/// Written anew where `UPDATE_SCHEMA` is set.
#[test]
fn the_shipped_schema_is_that_of_the_results() {
    let written = written("report-schema", &fixture::results(Settings::full())).join("results.schema.json");
    let written = fs::read_to_string(written).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("results.schema.json");
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&shipped, &written).unwrap();
    }
    let is_same = fs::read_to_string(shipped).unwrap() == written;
    assert!(is_same, "it is not; set UPDATE_SCHEMA");
}

#[test]
fn what_makes_a_cold_start_fast_is_shown_where_it_was_measured() {
    let mut results = fixture::results(Settings::quick());
    let markdown =
        |name, results: &Results| fs::read_to_string(written(name, results).join("report.md")).unwrap();
    let without = markdown("report-no-ablation", &results);
    assert!(without.contains("`cargo bench -p benches --bench ablation` does it"));
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-no-ablation/report.html");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<code>cargo bench -p benches --bench ablation</code> does it"));
    results.ablation = Some(fixture::ablation());
    let with = markdown("report-ablation", &results);
    assert!(with.contains("a run of its own, of the same commit"));
    let row = with
        .lines()
        .find(|line| line.starts_with("| half as fast |"))
        .unwrap();
    assert_eq!(row.matches("2.00×").count(), 2, "{row}");
}

#[test]
fn a_task_of_ones_own_is_shown_with_its_result() {
    let settings = Settings {
        own_task: Some(Plan {
            task: json!({"kind": "sleep", "millis": 2_000}),
            rounds: 5,
            seconds: 30,
        }),
        ..Settings::quick()
    };
    let mut results = fixture::results(settings);
    let markdown =
        |name, results: &Results| fs::read_to_string(written(name, results).join("report.md")).unwrap();
    let good = markdown("report-own-task", &results);
    assert!(good.contains(r#"`{"kind":"sleep","millis":2000}`, handed in one at a time"#));
    assert!(good.contains(r#"The result: `{"slept_millis":2000}`"#));
    assert!(terminal::summary(&results).unwrap().contains("A million"));

    let compared = |earlier: &Results| {
        let changes = changes(earlier, &results).changes;
        changes
            .iter()
            .filter(|change| change.figure.starts_with("your task"))
            .count()
    };
    let mut another = results.clone();
    another.settings.own_task.as_mut().unwrap().task = json!({"kind": "sleep", "millis": 1});
    assert_eq!((compared(&results) > 0, compared(&another)), (true, 0));

    let own = results.measured[0].own_task.as_mut().unwrap();
    own.result = Some(json!({"slept_millis": 1}));
    own.ended = [("succeeded".to_owned(), 3), ("failed".to_owned(), 2)].into();
    own.errors = [("task_failed: missing field `name`\nat line 1".to_owned(), 2)].into();
    let bad = markdown("report-own-task-failed", &results);
    assert!(bad.contains("The results are not all the same; the first"));
    assert!(
        bad.contains("It failed with self-invoke, 2 times: `task_failed: missing field 'name' at line 1`."),
        "what would end the code or the paragraph is replaced"
    );
    assert!(bad.contains("Your task did not succeed in 2 of 5 times with self-invoke"));
    assert!(warnings(&results).iter().any(Warning::is_fatal));
}

#[test]
fn every_permission_of_the_variants_is_listed() {
    let folder = written("report-permissions", &fixture::results(Settings::quick()));
    let markdown = fs::read_to_string(folder.join("report.md")).unwrap();
    let rows = markdown
        .lines()
        .filter(|line| line.contains("| dynamodb:PutItem | TaskTable |"));
    assert_eq!(rows.count(), 5, "one for each role");
}

#[test]
fn results_of_another_version_are_refused() {
    let folder = written("report-version", &fixture::results(Settings::quick()));
    let path = folder.join("results.json");
    assert!(Results::read(&path).is_ok());
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace(r#""schema_version":3"#, r#""schema_version":1"#),
    )
    .unwrap();
    let error = Results::read(&path).unwrap_err().to_string();
    assert!(error.contains("has version 1"), "{error}");
}

#[test]
fn a_run_is_compared_with_an_earlier_one() {
    let earlier = fixture::results(Settings::full());
    let mut results = earlier.clone();
    let load = &mut results.measured[1].load[1];
    load.accept_us = earlier.measured[0].cold.as_ref().unwrap().accept_us.clone();
    results.machine.commit = "fedcba".into();
    results.machine.cores += 2;
    let changes = changes(&earlier, &results);
    let told: Vec<_> = changes
        .changes
        .iter()
        .filter(|change| change.kind != Kind::Noise)
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].variant, told[0].kind),
        (Variant::SqsWorker, Kind::Slower)
    );
    assert!(changes.circumstances[0].contains("another commit"));
    assert!(changes.circumstances[1].contains("number of cores"));
    results.changes = Some(changes);
    let folder = written("report-changes", &results);
    for report in ["report.html", "report.md"] {
        let text = fs::read_to_string(folder.join(report)).unwrap();
        assert!(
            text.contains("What changed") && text.contains("slower"),
            "{report}"
        );
    }
}

#[test]
fn the_page_stands_alone() {
    let results = fixture::results(Settings::full());
    let page = fs::read_to_string(written("report-alone", &results).join("report.html")).unwrap();
    for foreign in ["<script ", "<link", "<img", "src=", "url(", "@import"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}

#[test]
fn every_chart_has_a_title_and_no_id_comes_twice() {
    let page =
        fs::read_to_string(written("report-ids", &fixture::results(Settings::full())).join("report.html"));
    let page = page.unwrap();
    assert_eq!(
        page.matches("role=\"img\"").count(),
        page.matches("<title id=").count()
    );
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn markdown_and_page_have_the_same_figures() {
    let results = fixture::results(fixture::settings_with_soak());
    let folder = written("report-same", &results);
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    let markdown = fs::read_to_string(folder.join("report.md")).unwrap();
    let mut cells = 0;
    for cell in markdown
        .lines()
        .filter(|line| line.starts_with("| "))
        .flat_map(|line| line.split('|'))
    {
        assert!(page.contains(cell.trim()), "{cell}");
        cells += 1;
    }
    assert!(cells > 200);
}

#[test]
fn words_begin_on_the_left_and_figures_end_on_the_right() {
    let folder = written("report-words", &fixture::results(Settings::full()));
    let markdown = fs::read_to_string(folder.join("report.md")).unwrap();
    assert!(markdown.contains("| Price | US dollars | Unit | As of |\n|---|--:|---|--:|\n"));
    assert!(markdown.contains("| Variant | Binary | Size | Zipped |\n|---|---|--:|--:|\n"));
    let page = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page.contains(r#"<th class="words" scope="col">Unit</th>"#));
    assert!(page.contains(r#"<th scope="col">US dollars</th>"#));
}

#[test]
fn what_is_missing_or_wrong_is_said_first() {
    let results = with_a_failure();
    let found = warnings(&results);
    let missing = Warning::Missing {
        variant: Variant::SqsWorker,
        what: "deployment".into(),
    };
    assert_eq!(found[0], missing);
    assert_eq!(
        found[1],
        Warning::NotSucceeded {
            variant: Variant::SplitLambda,
            tasks: 2
        }
    );
    assert_eq!(found[2], Warning::DifferentPictures);
    assert!(found[..3].iter().all(Warning::is_fatal) && !found[3..].iter().any(Warning::is_fatal));
    let page = fs::read_to_string(written("report-failure", &results).join("report.html")).unwrap();
    assert!(page.contains("it &lt;never&gt; became ready"));
}

#[test]
fn a_soak_is_reported_where_there_was_one() {
    let with = fixture::results(fixture::settings_with_soak());
    let without = fixture::results(Settings::full());
    for (results, expected) in [(&with, true), (&without, false)] {
        let folder = written("report-soak", results);
        for report in ["report.html", "report.md"] {
            let text = fs::read_to_string(folder.join(report)).unwrap();
            assert_eq!(text.contains("When everything breaks"), expected, "{report}");
            assert_eq!(text.contains("212 kill"), expected, "{report}");
        }
    }
}

#[test]
fn a_task_that_was_lost_or_ended_twice_outweighs_everything() {
    let mut results = fixture::results(fixture::settings_with_soak());
    let soak = results.measured[1].soak.as_mut().unwrap();
    (soak.missing, soak.ended_twice) = (1, 2);
    let expected = Warning::Unreliable {
        variant: Variant::SqsWorker,
        tasks: 3,
    };
    assert!(expected.is_fatal());
    assert_eq!(warnings(&results), [expected]);
    // Without a kill or a lost response the log has to know of every end.
    let mut results = fixture::results(fixture::settings_with_soak());
    results.measured[1].soak.as_mut().unwrap().faults.clear();
    assert!(matches!(
        warnings(&results)[..],
        [Warning::Unreliable { tasks: 3, .. }]
    ));
}

#[test]
fn a_task_that_a_fault_has_lost_is_an_error() {
    let mut results = fixture::results(Settings::full());
    results.measured[0].faults[2].never_ended = 2;
    let expected = Warning::Lost {
        variant: Variant::SelfInvoke,
        fault: Fault::Killed,
        tasks: 2,
    };
    assert!(expected.is_fatal());
    assert_eq!(warnings(&results), [expected]);
}

#[test]
fn good_results_call_for_no_warning() {
    assert_eq!(warnings(&fixture::results(Settings::full())), []);
}

#[test]
fn a_generator_that_was_late_is_told_on() {
    let mut results = fixture::results(Settings::full());
    results.measured[0].load[1].lateness_us = results.measured[0].load[1].accept_us.clone();
    assert!(matches!(
        warnings(&results)[..],
        [Warning::GeneratorLate {
            rate_per_second: 50,
            ..
        }]
    ));
}

#[test]
fn nothing_measured_is_still_a_report() {
    let mut results = fixture::results(Settings::quick());
    results.measured.clear();
    written("report-empty", &results);
    assert!(terminal::summary(&results).unwrap().contains("Variant"));
}

#[test]
fn the_terminal_shows_a_line_for_each_variant() {
    let summary = terminal::summary(&fixture::results(Settings::quick())).unwrap();
    for variant in ["self-invoke", "sqs-worker", "split-lambda", "noop"] {
        assert!(summary.lines().any(|line| line.starts_with(variant)), "{summary}");
    }
}

#[test]
fn a_chart_is_a_file_of_its_own_that_brings_its_ground_and_its_legend() {
    let charts = written("report-charts", &fixture::results(Settings::full())).join("charts");
    for name in ["accept-curve.svg", "start-curve.svg", "burst.svg"] {
        let chart = fs::read_to_string(charts.join(name)).unwrap();
        assert!(
            chart.starts_with(r#"<svg xmlns="http://www.w3.org/2000/svg" "#),
            "{name}"
        );
        for part in [
            "prefers-color-scheme: dark",
            "fill: var(--ground)",
            ">split-lambda</text>",
            r#"class="curve""#,
        ] {
            assert!(chart.contains(part), "{name}: {part}");
        }
    }
}
