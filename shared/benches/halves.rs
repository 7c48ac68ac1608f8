//! What a function does itself in an invocation, without the network: telling events apart, the API half from request
//! to response, and a record from its acceptance to its end. The store is the one in memory, so that the code is
//! measured, not DynamoDB.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use lambda_http::{Body, Request, RequestExt, http};
use lambda_runtime::Context;
use serde_json::{Map, Value, json};
use shared::{
    Api, Dispatch, DispatchError, Record, Store, TaskMessage, Timestamp, Worker, async_trait,
    event::Event,
    record::{Claim, Outcome},
    store::MemoryStore,
};
use tokio::runtime::Runtime;

/// A hand-over that costs nothing.
#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Dispatch for Nowhere {
    async fn dispatch(&self, _: &TaskMessage, _: &Context) -> Result<(), DispatchError> {
        Ok(())
    }
}

fn record() -> Record {
    Record::accept("sleep", Map::new(), Timestamp::now())
}

/// An event of each kind, as AWS sends it.
fn events() -> [(&'static str, String); 3] {
    let message = serde_json::to_string(&TaskMessage::of(&record())).unwrap_or_default();
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    let http = json!({
        "version": "2.0", "routeKey": "ANY /tasks", "rawPath": "/tasks", "rawQueryString": "",
        "headers": {
            "accept": "*/*", "content-length": "28", "content-type": "application/json",
            "host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com", "user-agent": "client",
            "x-amzn-trace-id": "Root=1-65a0b1c2-000000000000000000000000", "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "443", "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012", "apiId": "a1b2c3d4e5", "domainPrefix": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "http": {
                "method": "POST", "path": "/tasks", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "client",
            },
            "requestId": "id=", "routeKey": "ANY /tasks", "stage": "$default",
            "time": "09/Mar/2026:07:05:04 +0000", "timeEpoch": 1_773_039_904_321_i64,
        },
        "body": "{\"kind\":\"sleep\",\"millis\":0}", "isBase64Encoded": false,
    });
    // https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    let queue = json!({"Records": [{
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d", "receiptHandle": "AQEB", "body": message,
        "attributes": {
            "ApproximateReceiveCount": "1", "SentTimestamp": "1773039904321", "SenderId": "AROA",
            "ApproximateFirstReceiveTimestamp": "1773039904322",
        },
        "messageAttributes": {}, "md5OfBody": "098f6bcd4621d373cade4e832627b4f6", "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:tasks", "awsRegion": "eu-central-1",
    }]});
    [
        ("http", http.to_string()),
        ("task", message),
        ("queue", queue.to_string()),
    ]
}

fn decoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("event");
    for (kind, text) in events() {
        assert!(serde_json::from_str::<Event>(&text).is_ok(), "{kind}");
        group.bench_function(kind, |bencher| {
            bencher.iter(|| serde_json::from_str::<Event>(black_box(&text)));
        });
    }
    group.finish();
}

/// `POST /tasks` as `lambda_http` gives it to the handler.
fn request() -> Request {
    let request = http::Request::builder().method("POST").uri("/tasks");
    let request = request.header("content-type", "application/json");
    let body = Body::from("{\"kind\":\"sleep\",\"millis\":0}");
    let request = request.body(body).unwrap_or_default();
    request
        .with_raw_http_path("/tasks")
        .with_lambda_context(Context::default())
}

fn accepting(criterion: &mut Criterion, runtime: &Runtime) {
    let answer = async |api: Api| api.handle(request()).await;
    let api = || Api::new(Worker::new(MemoryStore::default(), Nowhere));
    let accepted = runtime.block_on(answer(api()));
    assert!(accepted.is_ok_and(|answer| answer.status() == 202));
    criterion.bench_function("api/accept", |bencher| {
        // A new store each time, or it would grow without bounds.
        bencher
            .to_async(runtime)
            .iter_batched(api, answer, BatchSize::SmallInput);
    });
}

fn living(criterion: &mut Criterion, runtime: &Runtime) {
    criterion.bench_function("record/life", |bencher| {
        bencher
            .to_async(runtime)
            .iter_batched(MemoryStore::default, life, BatchSize::SmallInput);
    });
}

/// Accepted, begun, renewed and ended: four writes, each over the version before it.
async fn life(store: MemoryStore) -> usize {
    let accepted = record();
    let mut written = usize::from(store.insert(&accepted, None).await.is_ok());
    let Claim::Granted(running) = accepted.claim(0, Timestamp::now()) else {
        return written;
    };
    let renewed = running.renewed(0.5, Timestamp::now());
    let ended = renewed.attempted(Outcome::Succeeded(Value::Null), Timestamp::now());
    for record in [&running, &renewed, &ended] {
        written += usize::from(store.replace(record).await.is_ok());
    }
    written
}

fn halves(criterion: &mut Criterion) {
    // The functions have one thread too.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else {
        panic!("there is no runtime");
    };
    assert_eq!(runtime.block_on(life(MemoryStore::default())), 4);
    decoding(criterion);
    accepting(criterion, &runtime);
    living(criterion, &runtime);
}

criterion_group!(all, halves);
criterion_main!(all);
