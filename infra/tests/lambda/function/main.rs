//! A function for tests: it speaks the Runtime API with nothing but a socket, and does what its environment and its
//! events say, also what no well-behaved function does.
//!
//! An event is `{"do": [step…]}`, or a batch from a queue with such an event in its first message, or a request to an
//! HTTP API with such an event in its body. Where nothing else is said, the answer is `null`. Of each start, the list in `INIT` says how init goes: `ok`, `exit`, `error` or `hang`.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "it belongs to the tests, and its failures are theirs"
)]

mod http;
#[path = "../signing.rs"]
mod signing;

use std::{
    env, fs,
    io::Write as _,
    process::exit,
    thread,
    time::{Duration, Instant},
};

use aws_credential_types::Credentials;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use nix::sys::{
    resource::{Resource, UsageWho, getrlimit, getrusage},
    signal::{SigSet, Signal},
    time::TimeValLike as _,
};
use serde_json::{Value, json};

const RUNTIME: &str = "/2018-06-01/runtime";
const EXTENSION: &str = "/2020-01-01/extension";

fn main() {
    // Signals are blocked for all threads, so that one thread can wait for them.
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGTERM);
    signals.thread_block().unwrap();
    thread::spawn(move || end_in_order(&signals));
    initialize();
    if let Ok(events) = env::var("EXTENSION") {
        start_extension(&events);
    }
    loop {
        let event = http::runtime("GET", &format!("{RUNTIME}/invocation/next"), &[], b"");
        let id = event
            .header("lambda-runtime-aws-request-id")
            .expect("an id")
            .to_owned();
        let mut function = Function {
            event,
            kept: Vec::new(),
            last: Value::Null,
        };
        if let Some((kind, answer)) = function.handle() {
            http::runtime("POST", &format!("{RUNTIME}/invocation/{id}/{kind}"), &[], &answer);
        }
    }
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").unwrap();
    out.flush().unwrap();
}

/// Says something after some milliseconds, while the function goes on: `[milliseconds, text]`.
fn print_later(value: &Value) {
    let (time, text) = (number(&value[0]), value[1].as_str().unwrap().to_owned());
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(time));
        say(&text);
    });
}

/// Says something again and again, as quickly as it is read.
fn print_for_ever(text: &str) -> ! {
    let many = format!("{text}\n").repeat(1_000);
    let mut out = std::io::stdout().lock();
    loop {
        out.write_all(many.as_bytes()).unwrap();
    }
}

fn end_in_order(signals: &SigSet) {
    signals.wait().unwrap();
    say("SIGTERM received");
    if env::var_os("LINGER_AT_THE_END").is_some() {
        thread::sleep(Duration::from_secs(60));
    }
    say("ended in order");
    exit(0);
}

/// How init goes this time: the entry of the list that belongs to this start, or the last one.
fn initialize() {
    let Ok(list) = env::var("INIT") else { return };
    let starts = fs::read_to_string("starts").unwrap_or_default();
    fs::write("starts", format!("{starts}.")).unwrap();
    let entries: Vec<&str> = list.split(',').collect();
    match entries[starts.len().min(entries.len() - 1)] {
        "exit" => exit(7),
        "hang" => thread::sleep(Duration::from_secs(600)),
        "error" => {
            let error =
                json!({"errorType": "Config.Missing", "errorMessage": "no configuration"}).to_string();
            http::runtime("POST", &format!("{RUNTIME}/init/error"), &[], error.as_bytes());
            exit(1);
        }
        _ => {}
    }
}

/// An internal extension. After each event it works on for the milliseconds in `EXTENSION_WORK`.
fn start_extension(events: &str) {
    let events: Vec<&str> = events.split(',').filter(|event| !event.is_empty()).collect();
    let name = ("lambda-extension-name".to_owned(), "test".to_owned());
    let body = json!({"events": events}).to_string();
    let answer = http::runtime("POST", &format!("{EXTENSION}/register"), &[name], body.as_bytes());
    let id = answer
        .header("lambda-extension-identifier")
        .expect("an identifier")
        .to_owned();
    let work: u64 = env::var("EXTENSION_WORK").map_or(0, |work| work.parse().unwrap());
    thread::spawn(move || {
        loop {
            let identifier = ("lambda-extension-identifier".to_owned(), id.clone());
            let event = http::runtime("GET", &format!("{EXTENSION}/event/next"), &[identifier], b"");
            thread::sleep(Duration::from_millis(work));
            say(&format!("extension: {}", String::from_utf8_lossy(&event.body)));
        }
    });
}

struct Function {
    event: http::Answer,
    /// Memory that is never given back.
    kept: Vec<Vec<u8>>,
    /// What the last step came to.
    last: Value,
}

impl Function {
    /// What to post, and where; nothing, if the event is not to be answered.
    fn handle(&mut self) -> Option<(&'static str, Vec<u8>)> {
        let mut command: Value = serde_json::from_slice(&self.event.body).expect("JSON");
        if let Some(body) = command["Records"][0]["body"].as_str() {
            command = serde_json::from_str(body).expect("JSON");
        } else if command["rawPath"].is_string() {
            command = body_of(&command);
        }
        for step in command["do"].as_array().into_iter().flatten() {
            let (name, value) = step
                .as_object()
                .and_then(|step| step.iter().next())
                .expect("a step");
            match name.as_str() {
                "respond" => return Some(("response", value.to_string().into())),
                "respond_last" => return Some(("response", self.last.to_string().into())),
                "respond_bytes" => {
                    return Some(("response", format!("\"{}\"", "x".repeat(number(value))).into()));
                }
                "respond_raw" => return Some(("response", decoded(value))),
                "error" => return Some(("error", value.to_string().into())),
                "leave" => return None,
                name => self.last = self.run(name, value, &command),
            }
        }
        Some(("response", b"null".into()))
    }

    fn run(&mut self, name: &str, value: &Value, command: &Value) -> Value {
        match name {
            "print" => say(value.as_str().unwrap()),
            "print_for_ever" => print_for_ever(value.as_str().unwrap()),
            "print_last" => say(&format!("last: {}", self.last)),
            "print_later" => print_later(value),
            "sleep" => thread::sleep(Duration::from_millis(number(value))),
            "exit" => exit(number(value)),
            "allocate" => self.kept.push(vec![1; number::<usize>(value) * 1024 * 1024]),
            "burn" => return json!(burn(Duration::from_millis(number(value)))),
            "environment" => return json!(env::vars().collect::<std::collections::BTreeMap<_, _>>()),
            "open_files" => return json!(getrlimit(Resource::RLIMIT_NOFILE).unwrap()),
            "header" => return json!(self.event.header(value.as_str().unwrap())),
            "call" => return self.call(&fill(value, command)),
            "send_raw" => return self.send_raw(value),
            other => panic!("there is no step {other}"),
        }
        Value::Null
    }

    /// Sends each of these texts, in base64, to the Runtime API as it is, with the request id for `$id`. Answers the
    /// status of each, or `null`.
    fn send_raw(&self, texts: &Value) -> Value {
        let id = self.event.header("lambda-runtime-aws-request-id").expect("an id");
        let send = |text| http::send_raw(&replaced(&decoded(text), b"$id", id.as_bytes()));
        json!(
            texts
                .as_array()
                .expect("a list")
                .iter()
                .map(send)
                .collect::<Vec<_>>()
        )
    }

    fn trace_header(&self) -> &str {
        self.event.header("lambda-runtime-trace-id").expect("a trace id")
    }

    /// A call of AWS in this event's trace, signed with the keys in the environment, as SDKs make it.
    fn call(&self, call: &Value) -> Value {
        let service = call["service"].as_str().unwrap();
        let variable = |name: &str| env::var(name).unwrap();
        let endpoint = variable(&format!("AWS_ENDPOINT_URL_{}", service.to_uppercase()));
        let address = endpoint.strip_prefix("http://").unwrap();
        let path = call["path"].as_str().unwrap_or("/");
        let body = call["body"].to_string();
        let mut headers: Vec<(String, String)> =
            [("host", address), ("x-amzn-trace-id", self.trace_header())]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        let more = call["headers"].as_object().into_iter().flatten();
        headers.extend(more.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())));
        let credentials = Credentials::new(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            Some(variable("AWS_SESSION_TOKEN")),
            None,
            "test",
        );
        let url = format!("{endpoint}{path}");
        headers.extend(signing::headers(
            credentials,
            service,
            "POST",
            &url,
            &headers,
            body.as_bytes(),
        ));
        let Some(answer) = http::request(address, "POST", path, &headers, body.as_bytes()) else {
            return json!("no answer");
        };
        json!({
            "status": answer.status,
            "type": answer.header("x-amzn-errortype"),
            "body": serde_json::from_slice::<Value>(&answer.body).unwrap_or_default(),
        })
    }
}

/// Puts the event, or its text, where a step wants it.
fn fill(value: &Value, command: &Value) -> Value {
    match value {
        Value::String(text) if text == "$event" => command.clone(),
        Value::String(text) if text == "$text" => json!(command.to_string()),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), fill(value, command)))
            .collect(),
        other => other.clone(),
    }
}

/// What a request to an HTTP API has in its body; nothing, where that is no JSON.
fn body_of(event: &Value) -> Value {
    let text = event["body"].as_str().unwrap_or_default();
    let body = if event["isBase64Encoded"] == true {
        decoded(&event["body"])
    } else {
        text.into()
    };
    serde_json::from_slice(&body).unwrap_or_default()
}

fn decoded(base64: &Value) -> Vec<u8> {
    STANDARD.decode(base64.as_str().expect("a text")).expect("base64")
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    match bytes.windows(from.len()).position(|window| window == from) {
        Some(start) => [
            &bytes[..start],
            to,
            &replaced(&bytes[start + from.len()..], from, to),
        ]
        .concat(),
        None => bytes.to_vec(),
    }
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    value
        .as_u64()
        .and_then(|number| number.try_into().ok())
        .expect("a number")
}

/// Computes for so long. Answers the milliseconds of CPU time that it got.
fn burn(time: Duration) -> i64 {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
        usage.user_time().num_milliseconds() + usage.system_time().num_milliseconds()
    };
    let (started, before) = (Instant::now(), used());
    let mut number = 1_u64;
    while started.elapsed() < time {
        for _ in 0..10_000 {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
    used() - before
}
