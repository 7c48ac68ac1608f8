//! AWS's prices, from the one file that states them (`infra/prices.toml`).

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::Deserialize;

/// The file, as it was when this program was built.
const FILE: &str = include_str!("../../prices.toml");

/// What AWS asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Prices {
    /// The Region whose prices they are.
    pub(super) region: String,
    price: BTreeMap<String, Price>,
    /// What an event source mapping does while its queue is empty.
    #[serde(rename = "idle-event-source-mapping")]
    pub(super) idle_event_source_mapping: IdleMapping,
}

/// One price.
#[derive(Debug, Deserialize)]
pub(super) struct Price {
    /// In dollars.
    pub(super) usd: f64,
    /// For so many units.
    pub(super) per: f64,
    /// What is counted.
    pub(super) unit: String,
    /// Units that cost an account nothing in each month.
    #[serde(default)]
    pub(super) free: f64,
    /// When the figure was published or read, as in `2026-03-08`.
    pub(super) date: String,
}

/// What an event source mapping does while its queue is empty.
#[derive(Debug, Deserialize)]
pub(super) struct IdleMapping {
    /// Requests to SQS in a month.
    pub(super) sqs_requests_in_a_month: u32,
}

impl Prices {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// It is not as expected.
    pub(super) fn load() -> anyhow::Result<Self> {
        toml::from_str(FILE).context("infra/prices.toml")
    }

    /// The price of that name.
    ///
    /// # Errors
    ///
    /// The file has none.
    pub(super) fn get(&self, name: &str) -> anyhow::Result<&Price> {
        self.price
            .get(name)
            .with_context(|| format!("infra/prices.toml has no price {name}"))
    }
}

impl Price {
    /// What so many units cost in dollars, at the list price.
    pub(super) fn of(&self, units: f64) -> f64 {
        self.usd * units / self.per
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_price_has_what_is_needed_to_check_it() {
        let file: toml::Table = FILE.parse().unwrap();
        let prices = file["price"].as_table().unwrap();
        assert!(prices.len() > 15);
        for (name, price) in prices {
            for key in ["source", "seen"] {
                let url = price[key].as_str().unwrap();
                assert!(url.starts_with("https://"), "{name}: {url}");
            }
            let date: jiff::civil::Date = price["date"].as_str().unwrap().parse().unwrap();
            assert!(date.year() >= 2024, "{name}: {date}");
        }
    }

    #[test]
    fn units_are_priced() {
        let prices = Prices::load().unwrap();
        let requests = prices.get("sqs-request").unwrap();
        assert!((requests.of(648_000.0) - 0.2592).abs() < 1e-9);
        assert!(prices.get("nothing").is_err());
    }
}
