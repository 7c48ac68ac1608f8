//! Requests to a local cloud that runs, and what its function says to it.

mod http_api;
mod lambda_api;
mod runtime_api;

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseResult, TestRunner},
};

use crate::support::{LocalCloud, function};

/// How long the local cloud may take for an answer, and how long it may wait for the rest of what is no whole request.
const PATIENCE: Duration = Duration::from_secs(60);
const PATIENCE_WITH_NONSENSE: Duration = Duration::from_millis(50);

/// Runs a test on cases against one cloud, whose function has these properties.
fn each_case<S: Strategy>(
    cases: &S,
    properties: &str,
    arguments: &[&str],
    test: impl AsyncFn(&LocalCloud, S::Value) -> TestCaseResult,
) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cloud = LocalCloud::up(&function("Function", properties), arguments);
    let mut runner = TestRunner::new(Config::with_source_file(file!()));
    let running = &cloud;
    let outcome = runner.run(cases, move |case| runtime.block_on(test(running, case)));
    let log = cloud.log();
    // A panic in a task is printed and does not end the process.
    assert!(!log.contains("panicked at infra/src"), "{log}");
    if let Err(error) = outcome {
        let start = log.floor_char_boundary(log.len().saturating_sub(3_000));
        panic!("{error}\nlog:\n{}", &log[start..]);
    }
}

/// An answer: its status and its body.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Vec<u8>,
}

/// What comes back for these bytes; nothing, where the connection is closed without an answer.
fn exchange(url: &str, bytes: &[u8], is_whole: bool) -> Option<Answer> {
    let mut connection = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    // The answer may come before all is sent, and the connection be closed.
    let _ = connection.write_all(bytes);
    let mut answer = Vec::new();
    let patience = if is_whole {
        PATIENCE
    } else {
        PATIENCE_WITH_NONSENSE
    };
    connection.set_read_timeout(Some(patience)).unwrap();
    if connection.read_to_end(&mut answer).is_err() && !is_whole {
        let _ = connection.shutdown(Shutdown::Write);
        let _ = connection.read_to_end(&mut answer);
    }
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        body: answer[head + 4..].to_vec(),
    })
}

/// A request with this method, target, headers and body.
fn request(method: &str, target: &[u8], headers: &[(String, Vec<u8>)], body: &[u8]) -> Vec<u8> {
    let mut request = [
        method.as_bytes(),
        b" ",
        target,
        b" HTTP/1.1\r\nconnection: close\r\n",
    ]
    .concat();
    for (name, value) in headers {
        request.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    request.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
    request.extend(body);
    request
}

/// The value of a header: what HTTP allows in it (RFC 9110, 5.5).
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![8 => b' '..=b'~', 1 => 0x80..=0xff_u8, 1 => Just(b'\t')];
    prop::collection::vec(byte, 0..30)
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}
