//! What a variant has to do for its users, in few steps: together they need every permission that its template gives.

use std::time::{Duration, Instant};

use futures_util::future::LocalBoxFuture;
use reqwest::Method;
use serde_json::{Value, json};

use super::statements::{self, Permission};
use crate::support::{LocalCloud, Template, id_of};

/// Steps that a stack takes, by their names, which stand in `PERMISSIONS.md`.
type Step = (
    &'static str,
    for<'a> fn(&'a Run) -> LocalBoxFuture<'a, Result<(), String>>,
);

/// Functions with three seconds for each invocation, so that tasks have to be continued.
const SHORT: &[&str] = &["--parameter", "TaskTimeout=3"];

const STEPS: [Step; 6] = [
    ("a task is accepted", |run| Box::pin(accept(run))),
    ("its record is read", |run| Box::pin(read(run))),
    ("the task succeeds", |run| Box::pin(succeed(run))),
    (
        "a request that is repeated with its key gives the same task",
        |run| Box::pin(repeat(run)),
    ),
    ("a task that is given up is recorded as failed", |run| {
        Box::pin(give_up(run))
    }),
    (
        "a task that takes longer than one invocation is continued",
        |run| Box::pin(go_on(run)),
    ),
];

/// One run of the suite.
struct Run {
    cloud: LocalCloud,
    patience: Duration,
}

/// A step that failed, and what the local cloud has logged.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) step: &'static str,
    pub(crate) log: String,
}

/// Takes all the steps on a variant with this template. A step that is not through within `patience` has failed.
pub(crate) async fn run(variant: &str, template: &str, patience: Duration) -> Result<(), Failed> {
    let cloud = start(template, SHORT)?;
    let run = Run { cloud, patience };
    for (step, take) in STEPS {
        take(&run).await.map_err(|what| run.failed(step, &what))?;
    }
    drop(run);
    take_back(template, patience).await?;
    if variant == "sqs-worker" {
        replace_worker(template, patience).await?;
    }
    Ok(())
}

fn start(template: &str, arguments: &[&str]) -> Result<LocalCloud, Failed> {
    let template = Template::new(template);
    match LocalCloud::try_up(&template.path, arguments) {
        Ok(cloud) => Ok(cloud.keeping(template)),
        Err(log) => Err(Failed {
            step: "the stack is created",
            log,
        }),
    }
}

impl Run {
    fn failed(&self, step: &'static str, what: &str) -> Failed {
        let log = format!("{what}\n{}", self.cloud.log());
        Failed { step, log }
    }

    async fn post(&self, task: &Value) -> Result<Value, String> {
        let response = self.cloud.post(task).await;
        let status = response.status();
        let body: Value = response.json().await.map_err(|error| error.to_string())?;
        if status == 202 {
            Ok(body)
        } else {
            Err(format!("{status}: {body}"))
        }
    }

    async fn get(&self, id: &str) -> Result<Value, String> {
        let request = self.cloud.request(Method::GET, &format!("/tasks/{id}"));
        let response = request.send().await.map_err(|error| error.to_string())?;
        let status = response.status();
        if status == 200 {
            response.json().await.map_err(|error| error.to_string())
        } else {
            Err(status.to_string())
        }
    }

    /// Waits until the task has ended so.
    async fn until_ended(&self, id: &str, status: &str) -> Result<Value, String> {
        let started = Instant::now();
        loop {
            let task = self.get(id).await?;
            if task["status"] == status {
                return Ok(task);
            }
            if started.elapsed() > self.patience || !task["finished_at"].is_null() {
                return Err(format!("not {status}: {task}"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A call of the AWS endpoint with the user's keys.
    async fn aws(&self, target: &str, body: &Value) -> Value {
        let request = self.cloud.aws(Method::POST, "/").header("x-amz-target", target);
        request.json(body).send().await.unwrap().json().await.unwrap()
    }
}

fn brief() -> Value {
    json!({"kind": "sleep", "millis": 5})
}

async fn accept(run: &Run) -> Result<(), String> {
    run.post(&brief()).await.map(drop)
}

async fn read(run: &Run) -> Result<(), String> {
    let id = id_of(&run.post(&brief()).await?);
    run.get(&id).await.map(drop)
}

async fn succeed(run: &Run) -> Result<(), String> {
    let id = id_of(&run.post(&brief()).await?);
    run.until_ended(&id, "succeeded").await.map(drop)
}

async fn repeat(run: &Run) -> Result<(), String> {
    let mut ids = Vec::new();
    for _ in 0..2 {
        let request = run
            .cloud
            .request(Method::POST, "/tasks")
            .header("idempotency-key", "the same");
        let response = request
            .json(&brief())
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let body: Value = response.json().await.map_err(|error| error.to_string())?;
        ids.push(body["id"].clone());
    }
    if ids[0].is_string() && ids[0] == ids[1] {
        Ok(())
    } else {
        Err(format!("{ids:?}"))
    }
}

/// The platform gives up after minutes. Here a record is made of one that has ended, and what the platform would send to the
/// queue is sent at once.
async fn give_up(run: &Run) -> Result<(), String> {
    let id = id_of(&run.post(&brief()).await?);
    run.until_ended(&id, "succeeded").await?;
    let key = json!({"TableName": "TaskTable", "Key": {"id": {"S": id}}});
    let mut item = run.aws("DynamoDB_20120810.GetItem", &key).await["Item"].clone();
    let other = "00000000-0000-4000-8000-000000000000";
    item["id"] = json!({"S": other});
    item["status"] = json!({"S": "queued"});
    for nothing in ["started_at", "finished_at", "leased_until"] {
        item[nothing] = json!({"NULL": true});
    }
    item.as_object_mut().unwrap().remove("result");
    let put = json!({"TableName": "TaskTable", "Item": item});
    run.aws("DynamoDB_20120810.PutItem", &put).await;
    let message = json!({"eventType": "run-task", "taskId": other});
    let destination_record = json!({
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": message,
    });
    for (queue, body) in [("FailureQueue", destination_record), ("DeadLetterQueue", message)] {
        let url = run
            .aws("AmazonSQS.GetQueueUrl", &json!({"QueueName": queue}))
            .await["QueueUrl"]
            .clone();
        if url.is_string() {
            let message = json!({"QueueUrl": url, "MessageBody": body.to_string(), "DelaySeconds": 0});
            run.aws("AmazonSQS.SendMessage", &message).await;
        }
    }
    let task = run.until_ended(other, "failed").await?;
    if task["error"]["code"] == "gave_up" {
        Ok(())
    } else {
        Err(task.to_string())
    }
}

async fn go_on(run: &Run) -> Result<(), String> {
    let endless = json!({"kind": "mandelbrot", "width": 8_192, "height": 8_192, "max_iterations": 1_000_000});
    let id = id_of(&run.post(&endless).await?);
    let started = Instant::now();
    // The second invocation of the two is the proof.
    loop {
        let task = run.get(&id).await?;
        if task["continuations"].as_u64() >= Some(1) && task["attempts"].as_u64() >= Some(2) {
            break;
        }
        if started.elapsed() > run.patience {
            return Err(format!("not continued: {task}"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let cancel = run.cloud.request(Method::DELETE, &format!("/tasks/{id}"));
    cancel.send().await.map_err(|error| error.to_string())?;
    run.until_ended(&id, "cancelled").await.map(drop)
}

/// A stack that cannot hand over beside what else it cannot.
async fn take_back(template: &str, patience: Duration) -> Result<(), Failed> {
    let hand_over = |permission: &Permission| ["HandOver", "InvokeItself"].contains(&permission.sid.as_str());
    let permissions = statements::permissions(template);
    let hand_over = permissions.into_iter().find(hand_over).unwrap();
    let cloud = start(&statements::without(template, &hand_over), SHORT)?;
    let run = Run { cloud, patience };
    let step = "a task that cannot be handed over is taken back";
    if run.post(&brief()).await.is_ok() {
        return Err(run.failed(step, "it was handed over"));
    }
    let records = run
        .aws("DynamoDB_20120810.Scan", &json!({"TableName": "TaskTable"}))
        .await;
    if records["Count"] == 0 {
        Ok(())
    } else {
        Err(run.failed(step, &records.to_string()))
    }
}

/// With SQS, the task of a worker that was killed is delivered again when its hold on the message lapses, after 40 seconds;
/// without the hold, after the visibility timeout of the queue.
async fn replace_worker(template: &str, patience: Duration) -> Result<(), Failed> {
    let cloud = start(template, &["--parameter", "TaskTimeout=600"])?;
    let run = Run {
        cloud,
        patience: patience.max(Duration::from_secs(60)),
    };
    let replaced = async {
        let id = id_of(&run.post(&json!({"kind": "sleep", "millis": 2_000})).await?);
        let started = Instant::now();
        while run.get(&id).await?["status"] != "running" && started.elapsed() < run.patience {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The first hold comes with the first steps of the task.
        tokio::time::sleep(Duration::from_millis(500)).await;
        run.cloud.kill_the_working_function().await;
        run.until_ended(&id, "succeeded").await
    };
    let step = "a worker that was killed is replaced within a minute";
    replaced.await.map(drop).map_err(|what| run.failed(step, &what))
}
