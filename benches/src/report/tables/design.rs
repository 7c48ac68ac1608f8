//! What there is to deploy and to understand; and the overview.

use super::{Cell, Table};
use crate::report::format::count;
use crate::results::{Measured, Results};

/// The figures that matter most, a row for each way.
pub(in crate::report) fn overview(results: &Results) -> Table {
    let settings = &results.settings;
    let rate = settings.reference_rate();
    let caption = format!(
        "Median (quartiles). Warm: {rate} requests/s, {} requests each. Cold: {} starts of each kind.",
        count((rate * settings.seconds_per_rate).into()),
        settings.cold_starts,
    );
    let row = |measured: &Measured| {
        let load = measured.load_at(rate);
        let task = load.and_then(|load| load.task.as_ref());
        let first = measured.first_invocation();
        vec![
            Cell::variant(measured.variant),
            Cell::or_dash(load, |load| Cell::median_and_quartiles(&load.accept_us)),
            Cell::or_dash(task, |task| {
                Cell::median_and_quartiles(&task.accepted_to_started_us)
            }),
            Cell::or_dash(first, |first| Cell::median_and_quartiles(&first.first_answer_us)),
            Cell::or_dash(measured.cold_task(), |task| {
                Cell::median_and_quartiles(&task.request_to_started_us)
            }),
            Cell::or_dash(
                (!measured.binaries.is_empty()).then_some(&measured.binaries),
                |binaries| Cell::bytes(binaries.iter().map(|binary| binary.bytes).sum()),
            ),
        ]
    };
    Table::new(
        &caption,
        &[
            "Variant",
            "Answers",
            "Starts work",
            "Cold: first answer",
            "Cold: task started",
            "Binaries",
        ],
        results.measured.iter().map(row),
    )
}

/// What was counted in templates and sources.
pub(in crate::report) fn complexity(results: &Results) -> Table {
    Table::new(
        "Counted in the templates and the sources. Actions: permissions in all policies. Decide: parameters without a \
         default. Steps to deploy: a package for each function, an image for each container, each of those parameters, and \
         the stack. Lines: of Rust, its own, without blanks, comments and tests.",
        &[
            "Variant",
            "Functions",
            "Resources",
            "Polled queues",
            "IAM actions",
            "Decide",
            "Steps to deploy",
            "Lines",
        ],
        results.measured.iter().filter_map(|measured| {
            let complexity = measured.complexity.as_ref()?;
            Some(vec![
                Cell::variant(measured.variant),
                Cell::count(complexity.functions),
                Cell::count(complexity.resources),
                Cell::count(complexity.event_source_mappings),
                Cell::count(complexity.iam_actions),
                Cell::count(complexity.required_parameters),
                Cell::count(complexity.deployment_steps),
                Cell::or_dash(complexity.lines, Cell::count),
            ])
        }),
    )
}

/// What fails without each permission: found by a test of `infra`, which keeps this file true.
const PERMISSIONS: &str = include_str!("../../../../infra/PERMISSIONS.md");

/// The permissions of the variants that were measured.
pub(in crate::report) fn permissions(results: &Results) -> Table {
    let rows = PERMISSIONS.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let variant = results.variants().map(|measured| measured.variant);
        let variant = variant
            .into_iter()
            .find(|variant| cells.first() == Some(&variant.name()))?;
        let others = cells.iter().skip(1).map(|cell| Cell::text(cell.replace('`', "")));
        Some([Cell::variant(variant)].into_iter().chain(others).collect())
    });
    Table::new(
        "Each permission, and what fails without it: found by removing one after the other from copies of the templates, by \
         infra/tests/permissions at this commit.",
        &[
            "Variant",
            "Role of",
            "Action",
            "Resource",
            "Without it, this fails",
        ],
        rows,
    )
}

/// The sizes of the binaries.
pub(in crate::report) fn sizes(results: &Results) -> Table {
    Table::new(
        "Release binaries, and their size in a deployment package; 1 MB is a million bytes.",
        &["Variant", "Binary", "Size", "Zipped"],
        results.measured.iter().flat_map(|measured| {
            measured.binaries.iter().map(|binary| {
                vec![
                    Cell::variant(measured.variant),
                    Cell::text(binary.name.clone()),
                    Cell::bytes(binary.bytes),
                    Cell::bytes(binary.zipped_bytes),
                ]
            })
        }),
    )
}
