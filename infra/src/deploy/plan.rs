//! What a deployment creates, from its template, and what that costs while nobody uses it.

use std::{collections::BTreeMap, fmt};

use super::prices::Prices;
use crate::template::Resource;

/// What a deployment creates, and what it costs idle.
#[derive(Debug)]
pub(super) struct Plan {
    /// The logical ids of the resources, by their type.
    resources: BTreeMap<String, Vec<String>>,
    charges: Vec<Charge>,
    /// Types of which it is not known what they cost.
    unknown: Vec<String>,
    region: String,
}

/// Something that costs money whether it is used or not, for a month.
#[derive(Debug)]
struct Charge {
    what: String,
    usd: f64,
    /// The same, where the account has nothing else that uses up what is free.
    usd_beyond_free: f64,
    free: String,
    date: String,
}

/// What a resource costs while nobody uses it.
enum Idle {
    Nothing,
    /// So many units of that price, each.
    Units(&'static str, &'static str, f64),
    Unknown,
}

impl Plan {
    /// The plan of a stack with these resources.
    ///
    /// # Errors
    ///
    /// The prices cannot be read.
    pub(super) fn of(resources: Vec<Resource>, prices: &Prices) -> anyhow::Result<Self> {
        let mut by_type: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for resource in resources {
            by_type
                .entry(resource.resource_type)
                .or_default()
                .push(resource.logical_id);
        }
        let mut charges = Vec::new();
        let mut unknown = Vec::new();
        for (resource_type, ids) in &by_type {
            match idle(resource_type, prices) {
                Idle::Nothing => {}
                Idle::Units(what, price, units) => {
                    charges.push(Charge::of(what, ids.len(), price, units, prices)?);
                }
                Idle::Unknown => unknown.push(resource_type.clone()),
            }
        }
        Ok(Self {
            resources: by_type,
            charges,
            unknown,
            region: prices.region.clone(),
        })
    }
}

/// What is paid for by use costs nothing idle: requests, invocations, bytes. Metrics of one's own cost for the hours in
/// which they have data.
fn idle(resource_type: &str, prices: &Prices) -> Idle {
    match resource_type {
        "AWS::CloudWatch::Alarm" => Idle::Units("alarm", "cloudwatch-alarm", 1.0),
        "AWS::CloudWatch::Dashboard" => Idle::Units("dashboard", "cloudwatch-dashboard", 1.0),
        "AWS::Lambda::EventSourceMapping" => {
            let requests = f64::from(prices.idle_event_source_mapping.sqs_requests_in_a_month);
            Idle::Units(
                "event source mapping, which asks its queue",
                "sqs-request",
                requests,
            )
        }
        "AWS::DynamoDB::Table"
        | "AWS::IAM::ManagedPolicy"
        | "AWS::IAM::Policy"
        | "AWS::IAM::Role"
        | "AWS::Lambda::Permission"
        | "AWS::Logs::LogGroup"
        | "AWS::SQS::Queue"
        | "AWS::Serverless::Function"
        | "AWS::Serverless::HttpApi" => Idle::Nothing,
        _ => Idle::Unknown,
    }
}

impl Charge {
    fn of(what: &str, count: usize, price: &str, units: f64, prices: &Prices) -> anyhow::Result<Self> {
        let price = prices.get(price)?;
        let units = units * count as f64;
        Ok(Self {
            what: format!("{count} × {what}"),
            usd: price.of(units),
            usd_beyond_free: price.of((units - price.free).max(0.0)),
            free: format!("an account has {} {}s free", price.free, price.unit),
            date: price.date.clone(),
        })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (resource_type, ids) in &self.resources {
            writeln!(formatter, "  {resource_type:<33} {}", ids.join(", "))?;
        }
        let oldest = self.charges.iter().map(|charge| charge.date.as_str()).min();
        write!(
            formatter,
            "\nA month in which nobody uses it, at the list prices of {}",
            self.region
        )?;
        match oldest {
            Some(date) => writeln!(formatter, ", of {date} or later:")?,
            None => writeln!(formatter, ":")?,
        }
        for Charge { what, usd, free, .. } in &self.charges {
            writeln!(formatter, "  ${usd:>5.2}  {what} ({free})")?;
        }
        writeln!(
            formatter,
            "  $ 0.00  what is paid for by use: requests, invocations, reads and writes, logs"
        )?;
        let total: f64 = self.charges.iter().map(|charge| charge.usd).sum();
        let least: f64 = self.charges.iter().map(|charge| charge.usd_beyond_free).sum();
        writeln!(
            formatter,
            "  ${total:>5.2}  together; ${least:.2} where nothing else uses up what is free"
        )?;
        for resource_type in &self.unknown {
            writeln!(formatter, "  and {resource_type}, which is not in this sum")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(logical_id: &str, resource_type: &str) -> Resource {
        Resource {
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
        }
    }

    #[test]
    fn a_plan_lists_what_is_created_and_sums_up_what_it_costs_idle() {
        let resources = vec![
            resource("Function", "AWS::Serverless::Function"),
            resource("One", "AWS::CloudWatch::Alarm"),
            resource("Two", "AWS::CloudWatch::Alarm"),
            resource("Mapping", "AWS::Lambda::EventSourceMapping"),
            resource("Service", "AWS::ECS::Service"),
        ];
        let text = Plan::of(resources, &Prices::load().unwrap()).unwrap().to_string();
        for expected in [
            "AWS::CloudWatch::Alarm            One, Two\n",
            "$ 0.20  2 × alarm (an account has 10 alarm metric-months free)\n",
            "$ 0.26  1 × event source mapping, which asks its queue (an account has 1000000 requests free)\n",
            "$ 0.46  together; $0.00 where nothing else uses up what is free\n",
            "and AWS::ECS::Service, which is not in this sum\n",
        ] {
            assert!(text.contains(expected), "no {expected:?} in\n{text}");
        }
    }
}
