//! What each way costs on AWS, modelled: what a task makes each service do, times its price. How long functions are
//! billed for beyond the task's own time was measured in the run; everything else that is assumed stands here, and is
//! printed with the result ([`ASSUMPTIONS`]).

use std::collections::BTreeMap;

use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::complexity;
use crate::prices::Prices;
use crate::results::{BilledInvocation, Measured};
use crate::variant::Variant;

/// What the model takes for granted.
pub const ASSUMPTIONS: [&str; 8] = [
    "List prices without free tiers and discounts, arm64, every function with 256 MB.",
    "What watches a stack (logs, metrics, alarms, a dashboard) is left out: it is the same for every way. cargo infra deploy \
     says what it costs.",
    "A client sends one POST and, when the task has ended, one GET. Nothing is throttled or tried again, and starts are \
     warm.",
    "A task waits, as for a slow service: one that computes needs more memory, for more memory is more CPU.",
    "Beyond the task's own time a function is billed for what it was billed in this run, median: a GET as a POST, and as a \
     message's invocation in queue-integration, where no function answers a POST.",
    "A record below 1 KB is written when the task is accepted, begun and ended, and at each renewal of the lease, which \
     come 1 to 5 s apart; it is read by the worker and for the GET. In queue-integration it is inserted with a key, in a \
     transaction, whose writes count twice.",
    "A message costs a send, a receive and a delete, and in sqs-worker a change of its visibility when it is received and \
     every 10 s. An event source mapping that has nothing to do receives some 15 times a minute.",
    "always-on is one Fargate task with 0.25 vCPU and 0.5 GB behind a load balancer that uses one capacity unit: enough \
     for tasks that wait, and no second one should the first die.",
];

/// The task lengths for which costs are modelled, in seconds.
pub const TASK_SECONDS: [f64; 5] = [0.1, 1.0, 10.0, 60.0, 600.0];

/// The length at which the ways are compared by the number of tasks, in seconds.
pub const REFERENCE_SECONDS: f64 = 10.0;

/// Tasks a month for which costs are modelled.
pub const TASKS_PER_MONTH: [f64; 6] = [0.0, 1e3, 1e4, 1e5, 1e6, 1e7];

/// Memory of every function, in GB.
const FUNCTION_GB: f64 = 0.25;

/// Longer than API Gateway waits, in seconds
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const GATEWAY_SECONDS: f64 = 30.0;

/// How often a worker renews the hold on its message, in seconds.
const HOLD_SECONDS: f64 = 10.0;

/// Writes that are paid for a record that is inserted with a key: two items, each counted twice
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>).
const INSERTION_WITH_KEY: f64 = 4.0;

/// The size of the always-on server.
const SERVER_VCPU: f64 = 0.25;
const SERVER_GB: f64 = 0.5;

/// What the ways cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Costs {
    /// Where the prices hold.
    pub region: String,
    /// The oldest and the newest date of a price.
    pub prices_as_of: [String; 2],
    /// What each way costs.
    pub ways: Vec<WayCosts>,
}

/// What one way costs, in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WayCosts {
    /// Which one.
    pub variant: Variant,
    /// A month in which nobody uses it, by what is paid for.
    pub idle_month: BTreeMap<String, f64>,
    /// A million tasks of each length, by what is paid for, without the idle month.
    pub per_million: Vec<TaskCosts>,
}

/// What a million tasks of one length cost, in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskCosts {
    /// The length.
    pub task_seconds: f64,
    /// The parts, by what is paid for; empty where this way cannot do such a task.
    pub parts: BTreeMap<String, f64>,
}

impl TaskCosts {
    /// All of it; `None` where this way cannot do such a task.
    pub fn total(&self) -> Option<f64> {
        (!self.parts.is_empty()).then(|| self.parts.values().sum())
    }
}

impl WayCosts {
    /// The idle month, all of it.
    pub fn idle(&self) -> f64 {
        self.idle_month.values().sum()
    }

    /// A million tasks of this length.
    pub fn per_million(&self, task_seconds: f64) -> Option<f64> {
        let is_it = |costs: &&TaskCosts| (costs.task_seconds - task_seconds).abs() < 1e-9;
        self.per_million.iter().find(is_it)?.total()
    }

    /// A month with so many tasks of the reference length.
    pub fn month(&self, tasks: f64) -> Option<f64> {
        Some(self.idle() + self.per_million(REFERENCE_SECONDS)? * tasks / 1e6)
    }
}

/// Models the costs of what was measured; a way whose tasks nobody sees to is left out, for its price would be that of nothing.
///
/// # Errors
/// Fails when a price is missing.
pub fn model(measured: &[Measured]) -> Result<Option<Costs>> {
    let prices = Prices::read()?;
    let ways = measured
        .iter()
        .filter(|measured| measured.variant.ends_tasks())
        .map(|measured| way(measured, &prices))
        .collect::<Result<Vec<_>>>()?;
    let dates: Vec<String> = prices.all().map(|(_, price)| price.date.clone()).collect();
    let (Some(oldest), Some(newest)) = (dates.iter().min(), dates.iter().max()) else {
        return Ok(None);
    };
    Ok((!ways.is_empty()).then(|| Costs {
        region: prices.region.clone(),
        prices_as_of: [oldest.clone(), newest.clone()],
        ways,
    }))
}

/// What a million tasks that work for so long cost in this way, in US dollars, without its idle month; `None` where it
/// cannot do such a task, or where it was not measured what its functions are billed for.
///
/// # Errors
/// Fails when a price is missing.
pub fn of_a_million(measured: &Measured, task_seconds: f64) -> Result<Option<f64>> {
    let Some(used) = Use::of(measured, task_seconds) else {
        return Ok(None);
    };
    let parts = used.parts(&Prices::read()?)?;
    Ok(Some(parts.values().sum()))
}

fn way(measured: &Measured, prices: &Prices) -> Result<WayCosts> {
    let mut per_million = Vec::new();
    for task_seconds in TASK_SECONDS {
        let parts = match Use::of(measured, task_seconds) {
            Some(used) => used.parts(prices)?,
            None => BTreeMap::new(),
        };
        per_million.push(TaskCosts { task_seconds, parts });
    }
    Ok(WayCosts {
        variant: measured.variant,
        idle_month: idle_month(measured, prices)?,
        per_million,
    })
}

fn idle_month(measured: &Measured, prices: &Prices) -> Result<BTreeMap<String, f64>> {
    let hours = prices.hours_in_a_month;
    let mut parts = BTreeMap::new();
    // What is deployed is not counted, for it may be of another commit; the model is of this one.
    let mappings = match &measured.complexity {
        Some(complexity) => complexity.event_source_mappings,
        None => complexity::count(measured.variant)?.event_source_mappings,
    };
    if mappings > 0 {
        parts.insert("SQS".to_owned(), mappings as f64 * prices.of_an_idle_mapping()?);
    }
    if measured.variant == Variant::AlwaysOn {
        let server =
            SERVER_VCPU * prices.of("fargate-arm64-vcpu")? + SERVER_GB * prices.of("fargate-arm64-memory")?;
        let balancer = prices.of("alb-hour")? + prices.of("alb-lcu-hour")?;
        parts.insert("Server".to_owned(), server * hours);
        parts.insert("Load balancer".to_owned(), balancer * hours);
    }
    Ok(parts)
}

/// What one task makes the services do.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    http_requests: f64,
    invocations: f64,
    billed_seconds: f64,
    sqs_requests: f64,
    writes: f64,
    reads: f64,
}

impl Use {
    /// `None` where this way cannot do such a task, or where it was not measured what its functions are billed for.
    fn of(measured: &Measured, task_seconds: f64) -> Option<Self> {
        let billed = measured.billed.as_ref();
        let seconds = |invocation: Option<&BilledInvocation>| Some(invocation?.duration_ms.p50 as f64 / 1e3);
        let api = || seconds(billed?.api.as_ref());
        let worker = || seconds(billed?.worker.as_ref());
        let renewals = f64::from(renewals(task_seconds));
        // POST and GET, each with an invocation; the worker's invocation.
        let common = Self {
            http_requests: 2.0,
            invocations: 3.0,
            billed_seconds: 0.0,
            sqs_requests: 0.0,
            writes: 3.0 + renewals,
            reads: 2.0,
        };
        // Send, receive, delete.
        let sqs_requests = 3.0;
        Some(match measured.variant {
            Variant::SelfInvoke | Variant::SplitLambda => Self {
                billed_seconds: 2.0 * api()? + worker()? + task_seconds,
                ..common
            },
            Variant::SqsWorker => Self {
                billed_seconds: 2.0 * api()? + worker()? + task_seconds,
                sqs_requests: sqs_requests + 1.0 + (task_seconds / HOLD_SECONDS).floor(),
                ..common
            },
            // No function answers the POST.
            Variant::QueueIntegration => Self {
                invocations: 2.0,
                billed_seconds: 2.0 * worker()? + task_seconds,
                sqs_requests,
                writes: common.writes + INSERTION_WITH_KEY - 1.0,
                ..common
            },
            Variant::Extension => Self {
                invocations: 2.0,
                billed_seconds: 2.0 * api()? + task_seconds,
                ..common
            },
            // The answer is the result: nobody has to ask for it.
            Variant::Synchronous if task_seconds < GATEWAY_SECONDS => Self {
                http_requests: 1.0,
                invocations: 1.0,
                billed_seconds: api()? + task_seconds,
                reads: 1.0,
                ..common
            },
            Variant::AlwaysOn => Self {
                http_requests: 0.0,
                invocations: 0.0,
                ..common
            },
            Variant::Synchronous | Variant::Background | Variant::Noop => return None,
        })
    }

    /// US dollars for a million of it, by what is paid for.
    fn parts(self, prices: &Prices) -> Result<BTreeMap<String, f64>> {
        let parts = [
            ("HTTP API", self.http_requests * prices.of("http-api-request")?),
            ("Invocations", self.invocations * prices.of("lambda-request")?),
            (
                "Lambda time",
                self.billed_seconds * FUNCTION_GB * prices.of("lambda-arm64")?,
            ),
            ("SQS", self.sqs_requests * prices.of("sqs-request")?),
            (
                "DynamoDB",
                self.writes * prices.of("dynamodb-write")? + self.reads * prices.of("dynamodb-read")?,
            ),
        ];
        let paid = parts.into_iter().filter(|(_, usd)| *usd > 0.0);
        Ok(paid.map(|(what, usd)| (what.to_owned(), usd * 1e6)).collect())
    }
}

/// How often a worker renews its lease during a task: after half of the time that it has taken so far, but 1 to 5 s
/// after the last renewal.
fn renewals(task_seconds: f64) -> u32 {
    let mut elapsed = 0.0_f64;
    let mut times = 0;
    loop {
        elapsed += (elapsed / 2.0).clamp(1.0, 5.0);
        if elapsed >= task_seconds {
            return times;
        }
        times += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Billed;
    use crate::statistics::Distribution;

    #[test]
    fn a_lease_is_renewed_ever_more_slowly() {
        let renewals = [0.1, 1.0, 3.5, 10.0, 600.0].map(renewals);
        assert_eq!(renewals, [0, 0, 3, 5, 123]);
    }

    /// What a task of 25 s makes the services do, in a way whose functions are billed for 2 ms (API) and 3 ms (worker).
    fn used(variant: Variant) -> Option<[f64; 6]> {
        let invocation = |milliseconds| {
            Some(BilledInvocation {
                duration_ms: Distribution::of([milliseconds]).unwrap(),
                memory_mb: 256,
            })
        };
        let mut measured = Measured::nothing(variant);
        measured.billed = Some(Billed {
            api: invocation(2),
            worker: invocation(3),
        });
        let used = Use::of(&measured, 25.0)?;
        Some([
            used.http_requests,
            used.invocations,
            (used.billed_seconds * 1e3).round(),
            used.sqs_requests,
            used.writes,
            used.reads,
        ])
    }

    #[test]
    fn each_way_makes_the_services_do_what_its_code_asks_for() {
        let renewals = f64::from(renewals(25.0));
        let asynchronous = Some([2.0, 3.0, 25_007.0, 0.0, 3.0 + renewals, 2.0]);
        assert_eq!(used(Variant::SelfInvoke), asynchronous);
        assert_eq!(used(Variant::SplitLambda), asynchronous);
        let with_holds = Some([2.0, 3.0, 25_007.0, 6.0, 3.0 + renewals, 2.0]);
        assert_eq!(used(Variant::SqsWorker), with_holds);
        let with_key = Some([2.0, 2.0, 25_006.0, 3.0, 6.0 + renewals, 2.0]);
        assert_eq!(used(Variant::QueueIntegration), with_key);
        let in_one = Some([2.0, 2.0, 25_004.0, 0.0, 3.0 + renewals, 2.0]);
        assert_eq!(used(Variant::Extension), in_one);
        let waited_for = Some([1.0, 1.0, 25_002.0, 0.0, 3.0 + renewals, 1.0]);
        assert_eq!(used(Variant::Synchronous), waited_for);
        assert_eq!(used(Variant::Background), None);
    }

    #[test]
    fn what_is_polled_costs_although_its_template_was_not_counted() {
        let month = idle_month(
            &Measured::nothing(Variant::QueueIntegration),
            &Prices::read().unwrap(),
        )
        .unwrap();
        assert!(month["SQS"] > 0.0);
    }

    #[test]
    fn a_million_empty_requests_cost_what_the_list_says() {
        let used = Use {
            http_requests: 1.0,
            invocations: 1.0,
            ..Use::default()
        };
        let parts = used.parts(&Prices::read().unwrap()).unwrap();
        let expected = BTreeMap::from([("HTTP API".to_owned(), 1.0), ("Invocations".to_owned(), 0.2)]);
        assert_eq!(
            parts.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>()
        );
        for (what, usd) in expected {
            assert!((parts[&what] - usd).abs() < 1e-9, "{what}: {}", parts[&what]);
        }
    }
}
