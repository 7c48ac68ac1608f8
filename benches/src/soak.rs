//! The soak: many tasks while everything breaks now and then. A good client hands them in (it has an idempotency key for
//! each, and sends a request again until it is answered), then every task is followed to its end, and the ends are
//! compared with a second source, the functions' log.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::client::{Task, TaskApi};
use crate::cold::microseconds;
use crate::progress::Phase;
use crate::statistics::{Distribution, counts};
use crate::target::Target;

/// How many clients hand tasks in, and read records, at the same time.
const CLIENTS: u64 = 16;

/// The longest task, in milliseconds. Shorter ones are as frequent.
const LONGEST_TASK: u64 = 50;

/// Between two attempts at the same request, and between two looks at all that is not finished.
const PAUSE: Duration = Duration::from_millis(200);

/// How long after the last request the last task may end. What is delivered again for the fourth time, and then given
/// up, takes some minutes.
const PATIENCE: Duration = Duration::from_mins(20);

/// What is to go wrong, and how often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// The faults, as `cargo infra up --chaos` takes them.
    pub faults: String,
    /// How many tasks are handed in to each variant.
    pub tasks: u64,
}

/// What became of the tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Soak {
    /// Tasks accepted.
    pub accepted: u64,
    /// Requests that had to be sent again, by what was the matter.
    pub sent_again: BTreeMap<String, u64>,
    /// Tasks by how they ended.
    pub ended: BTreeMap<String, u64>,
    /// Failed tasks by the code of their error.
    pub failures: BTreeMap<String, u64>,
    /// Accepted tasks that have no record, or that have not ended.
    pub missing: u64,
    /// Tasks by their number of attempts.
    pub attempts: BTreeMap<u64, u64>,
    /// Tasks whose end the log has more than once.
    pub ended_twice: u64,
    /// Tasks whose end the log does not have: whoever recorded it was killed before it could say so.
    pub ended_silently: u64,
    /// From being accepted to the end.
    pub finished_us: Distribution,
    /// The same, of tasks that took more than one attempt: how long it takes to recover.
    pub recovered_us: Option<Distribution>,
    /// The faults that there were, by their kind.
    pub faults: BTreeMap<String, u64>,
}

/// What the tasks' records say.
#[derive(Debug)]
pub struct Ran {
    accepted: BTreeSet<String>,
    sent_again: BTreeMap<String, u64>,
    ended: HashMap<String, Task>,
}

impl Soak {
    /// Ends that the log does not have although no fault can have kept them from it: then the log is no second source,
    /// and that it has no end twice means nothing.
    pub fn unexplained(&self) -> u64 {
        let faults = |kind| self.faults.get(kind).copied().unwrap_or(0);
        self.ended_silently
            .saturating_sub(faults("kill") + faults("drop-response"))
    }
}

/// Hands in so many tasks and follows them to their ends.
///
/// # Errors
/// Fails when a request is refused for good.
pub async fn run(target: &Target, tasks: u64) -> Result<Ran> {
    let (accepted, sent_again) = hand_in(target, tasks).await?;
    let ended = follow(target, &accepted).await?;
    Ok(Ran {
        accepted,
        sent_again,
        ended,
    })
}

impl Ran {
    /// Compares the records with the log of the deployment, which has to be at its end.
    ///
    /// # Errors
    /// Fails when the log cannot be read.
    pub fn held_against(&self, log: &Path) -> Result<Soak> {
        let log = fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
        self.soak(&String::from_utf8_lossy(&log))
    }

    fn soak(&self, log: &str) -> Result<Soak> {
        let ledger = ledger(log);
        let tasks = || self.ended.values();
        let times = |wanted: fn(&Task) -> bool| {
            let spans = tasks()
                .filter(|task| wanted(task))
                .filter_map(Task::accepted_to_finished);
            spans.map(microseconds).collect::<Vec<_>>()
        };
        let recovered = times(|task| task.attempts > 1);
        let said = |wanted: fn(u64) -> bool| {
            let ids = self.ended.keys();
            ids.filter(|id| wanted(ledger.get(*id).copied().unwrap_or(0)))
                .count() as u64
        };
        Ok(Soak {
            accepted: self.accepted.len() as u64,
            sent_again: self.sent_again.clone(),
            ended: counts(tasks().map(|task| task.status.clone())),
            failures: counts(tasks().filter_map(|task| Some(task.error.as_ref()?.code.clone()))),
            missing: (self.accepted.len() - self.ended.len()) as u64,
            attempts: counts(tasks().map(|task| task.attempts)),
            ended_twice: said(|times| times > 1),
            ended_silently: said(|times| times == 0),
            finished_us: Distribution::of(times(|_| true))?,
            recovered_us: (!recovered.is_empty())
                .then(|| Distribution::of(recovered))
                .transpose()?,
            faults: faults(log),
        })
    }
}

async fn hand_in(target: &Target, tasks: u64) -> Result<(BTreeSet<String>, BTreeMap<String, u64>)> {
    let phase = Phase::begin(target.variant, "handing in tasks while things break", tasks);
    let phase = Arc::new(phase);
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (api, phase) = (target.tasks.clone(), phase.clone());
        clients.spawn(async move {
            let mut accepted = Vec::new();
            let mut refused = Vec::new();
            for number in (client..tasks).step_by(usize::try_from(CLIENTS)?) {
                let task = json!({"kind": "sleep", "millis": number % (LONGEST_TASK + 1)});
                accepted.push(insist(&api, &task, &mut refused).await?);
                phase.advance();
            }
            anyhow::Ok((accepted, refused))
        });
    }
    let mut all = BTreeSet::new();
    let mut sent_again = BTreeMap::new();
    while let Some(client) = clients.join_next().await {
        let (accepted, refused) = client.context("a client panicked")??;
        all.extend(accepted);
        for reason in refused {
            *sent_again.entry(reason).or_default() += 1;
        }
    }
    ensure!(
        all.len() as u64 == tasks,
        "two requests with different keys got the same task"
    );
    Ok((all, sent_again))
}

/// Sends the request until it is accepted. Answers the id of the task.
async fn insist(api: &TaskApi, task: &Value, refused: &mut Vec<String>) -> Result<String> {
    let key = Uuid::new_v4().to_string();
    let begin = Instant::now();
    loop {
        match api.accept_once(task, &key).await {
            Ok(accepted) => return accepted.id(),
            Err(refusal) => {
                if refusal.is_for_good() {
                    return Err(refusal.into());
                }
                ensure!(
                    begin.elapsed() < PATIENCE,
                    "{refusal}, for {} minutes",
                    PATIENCE.as_secs() / 60
                );
                refused.push(refusal.reason);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The last records of the tasks that have ended.
async fn follow(target: &Target, accepted: &BTreeSet<String>) -> Result<HashMap<String, Task>> {
    let phase = Phase::begin(
        target.variant,
        "following each task to its end",
        accepted.len() as u64,
    );
    let begin = Instant::now();
    let mut ended = HashMap::new();
    while ended.len() < accepted.len() && begin.elapsed() < PATIENCE {
        let open: Vec<String> = accepted
            .iter()
            .filter(|id| !ended.contains_key(*id))
            .cloned()
            .collect();
        for (id, task) in look(&target.tasks, &open).await? {
            ended.insert(id, task);
            phase.advance();
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(ended)
}

/// One look at each of these. A look may fail: the functions that answer it break too.
async fn look(api: &TaskApi, ids: &[String]) -> Result<Vec<(String, Task)>> {
    let mut readers = JoinSet::new();
    let clients = usize::try_from(CLIENTS)?;
    for reader in 0..clients {
        let ids: Vec<String> = ids.iter().skip(reader).step_by(clients).cloned().collect();
        let api = api.clone();
        readers.spawn(async move {
            let mut ended = Vec::new();
            for id in ids {
                if let Ok(task) = api.task(&id).await
                    && task.is_finished()
                {
                    ended.push((id, task));
                }
            }
            ended
        });
    }
    Ok(readers.join_all().await.into_iter().flatten().collect())
}

/// How often the functions said of each task that it has ended.
fn ledger(log: &str) -> HashMap<String, u64> {
    #[derive(Deserialize)]
    struct Line {
        message: String,
        task_id: String,
    }
    let lines = log
        .lines()
        .filter_map(|line| line.find('{').map(|begin| &line[begin..]));
    let ends = lines
        .filter_map(|line| serde_json::from_str::<Line>(line).ok())
        .filter(|line| line.message == "task ended");
    let mut ledger = HashMap::new();
    for line in ends {
        *ledger.entry(line.task_id).or_default() += 1;
    }
    ledger
}

/// What the local cloud says at its end of the faults that it caused.
fn faults(log: &str) -> BTreeMap<String, u64> {
    let totals = log
        .lines()
        .rev()
        .find_map(|line| line.strip_prefix("infra: chaos: totals: "));
    let totals = totals.unwrap_or_default().split(',');
    let total = |text: &str| {
        let (kind, number) = text.split_once('=')?;
        Some((kind.to_owned(), number.parse().ok()?))
    };
    totals.filter_map(total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "infra: chaos: --chaos kill=0.1,seed=1
WorkerFunction: START RequestId: 1
WorkerFunction: {\"level\":\"INFO\",\"message\":\"task ended\",\"task_id\":\"a\",\"status\":\"succeeded\"}
WorkerFunction: {\"level\":\"WARN\",\"message\":\"the lease could not be renewed\",\"task_id\":\"b\"}
WorkerFunction: {\"level\":\"INFO\",\"message\":\"task ended\",\"task_id\":\"a\",\"status\":\"succeeded\"}
infra: chaos: totals: kill=3,duplicate=0
";

    fn task(attempts: u64, finished_at: &str) -> Task {
        serde_json::from_value(json!({
            "status": "succeeded", "attempts": attempts, "accepted_at": "2026-03-09T07:05:00Z",
            "finished_at": finished_at,
        }))
        .unwrap()
    }

    #[test]
    fn what_was_accepted_is_held_against_what_ended_and_what_the_log_says() {
        let ran = Ran {
            accepted: ["a", "b", "c"].map(String::from).into(),
            sent_again: BTreeMap::new(),
            ended: HashMap::from([
                ("a".to_owned(), task(1, "2026-03-09T07:05:01Z")),
                ("b".to_owned(), task(2, "2026-03-09T07:06:10Z")),
            ]),
        };
        let soak = ran.soak(LOG).unwrap();
        assert_eq!((soak.accepted, soak.missing), (3, 1));
        assert_eq!((soak.ended_twice, soak.ended_silently), (1, 1));
        assert_eq!(soak.attempts, BTreeMap::from([(1, 1), (2, 1)]));
        assert_eq!(soak.recovered_us.unwrap().count, 1);
        assert_eq!(soak.faults["kill"], 3);
    }
}
