//! What AWS asks for, from `infra/prices.toml`: the one place where prices stand, each with its source and date. Read
//! when this program is built, so that a report and its prices cannot come apart.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

const PRICES: &str = include_str!("../../infra/prices.toml");

/// The prices.
#[derive(Clone, Debug, Deserialize)]
pub struct Prices {
    /// Where they hold.
    pub region: String,
    /// How many hours a month has, to AWS.
    pub hours_in_a_month: f64,
    price: BTreeMap<String, Price>,
    #[serde(rename = "idle-event-source-mapping")]
    idle_event_source_mapping: IdleMapping,
}

#[derive(Clone, Debug, Deserialize)]
struct IdleMapping {
    sqs_requests_in_a_month: f64,
}

/// A price.
#[derive(Clone, Debug, Deserialize)]
pub struct Price {
    usd: f64,
    per: f64,
    /// What is paid for.
    pub unit: String,
    /// AWS's own page.
    pub source: String,
    /// When the figure was read, or the page was dated that had it.
    pub date: String,
}

impl Prices {
    /// The prices of today's file.
    ///
    /// # Errors
    /// Fails when the file has been damaged.
    pub fn read() -> Result<Self> {
        toml::from_str(PRICES).context("infra/prices.toml")
    }

    /// US dollars for one unit.
    ///
    /// # Errors
    /// Fails when there is no such price.
    pub fn of(&self, name: &str) -> Result<f64> {
        let price = self.price.get(name);
        let price = price.with_context(|| format!("infra/prices.toml has no price {name}"))?;
        Ok(price.usd / price.per)
    }

    /// US dollars for a month of an event source mapping whose queue is empty.
    ///
    /// # Errors
    /// Fails when there is no price of SQS.
    pub fn of_an_idle_mapping(&self) -> Result<f64> {
        Ok(self.idle_event_source_mapping.sqs_requests_in_a_month * self.of("sqs-request")?)
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Price)> {
        self.price.iter().map(|(name, price)| (name.as_str(), price))
    }
}

impl Price {
    /// US dollars for one unit.
    pub fn usd(&self) -> f64 {
        self.usd / self.per
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_is_a_price_with_a_source() {
        let prices = Prices::read().unwrap();
        for (name, price) in prices.all() {
            assert!(
                price.usd() > 0.0 && price.source.starts_with("https://aws.amazon.com/"),
                "{name}"
            );
        }
        assert!(prices.of("http-api-request").unwrap() < 1e-5);
        assert!(prices.of("nonsense").is_err());
    }
}
