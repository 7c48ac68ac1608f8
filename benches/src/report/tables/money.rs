//! What each way costs, modelled.

use super::super::format::{dollars, task_length};
use super::{Cell, Table};
use crate::cost::{Costs, REFERENCE_SECONDS, TASK_SECONDS, TASKS_PER_MONTH, WayCosts};
use crate::prices::Prices;
use crate::report::format::magnitude;

/// A million tasks of each length.
pub(in crate::report) fn per_million(costs: &Costs) -> Table {
    let columns: Vec<String> = TASK_SECONDS.iter().map(|seconds| task_length(*seconds)).collect();
    let columns = ["Variant"].into_iter().chain(columns.iter().map(String::as_str));
    Table::new(
        "A million tasks by their length, in US dollars, modelled; without the month itself.",
        &columns.collect::<Vec<_>>(),
        costs.ways.iter().map(|way| {
            let amounts = TASK_SECONDS.map(|seconds| Cell::or_dash(way.per_million(seconds), usd));
            [Cell::variant(way.variant)].into_iter().chain(amounts).collect()
        }),
    )
}

/// A month by the number of tasks.
pub(in crate::report) fn months(costs: &Costs) -> Table {
    let columns: Vec<String> = TASKS_PER_MONTH.iter().map(|tasks| magnitude(*tasks)).collect();
    let columns = ["Variant"].into_iter().chain(columns.iter().map(String::as_str));
    Table::new(
        &format!(
            "A month with so many tasks of {}, in US dollars, modelled.",
            task_length(REFERENCE_SECONDS)
        ),
        &columns.collect::<Vec<_>>(),
        costs.ways.iter().map(|way| {
            let amounts = TASKS_PER_MONTH.map(|tasks| Cell::or_dash(way.month(tasks), usd));
            [Cell::variant(way.variant)].into_iter().chain(amounts).collect()
        }),
    )
}

const PARTS: [&str; 5] = ["HTTP API", "Invocations", "Lambda time", "SQS", "DynamoDB"];

/// What is paid for.
pub(in crate::report) fn idle(costs: &Costs) -> Table {
    let part = |way: &WayCosts, what: &str| {
        let costs = way.per_million.iter();
        let at_reference = |seconds: f64| (seconds - REFERENCE_SECONDS).abs() < 1e-9;
        let costs = costs
            .filter(|costs| at_reference(costs.task_seconds))
            .find_map(|costs| costs.parts.get(what).copied());
        Cell::or_dash(costs, usd)
    };
    let columns = ["Variant", "Idle month"].into_iter().chain(PARTS);
    Table::new(
        &format!(
            "What it is made of: a month in which nobody uses it, and the parts of a million tasks of {}, in US dollars, \
             modelled.",
            task_length(REFERENCE_SECONDS)
        ),
        &columns.collect::<Vec<_>>(),
        costs.ways.iter().map(|way| {
            let parts = PARTS.map(|what| part(way, what));
            [Cell::variant(way.variant), usd(way.idle())]
                .into_iter()
                .chain(parts)
                .collect()
        }),
    )
}

/// The prices themselves; none where their file cannot be read.
pub(in crate::report) fn prices() -> Option<Table> {
    let prices = Prices::read().ok()?;
    Some(Table::new(
        &format!("The prices, {}.", prices.region),
        &["Price", "US dollars", "Unit", "As of"],
        prices.all().map(|(name, price)| {
            vec![
                Cell::text(name),
                Cell::new(
                    format!("{:.10}", price.usd()).trim_end_matches('0').to_owned(),
                    price.usd(),
                ),
                Cell::text(price.unit.clone()),
                Cell::text(price.date.clone()),
            ]
        }),
    ))
}

fn usd(amount: f64) -> Cell {
    Cell::new(dollars(amount), amount)
}
