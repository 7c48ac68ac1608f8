//! As much of HTTP as is needed to speak to the Runtime API: a connection for each request.

use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// How long an answer to nonsense may take.
const PATIENCE: Duration = Duration::from_millis(100);

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a header, which is named in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A request to the Runtime API.
pub(crate) fn runtime(method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Answer {
    let address = env::var("AWS_LAMBDA_RUNTIME_API").expect("the address of the Runtime API");
    let mut all = vec![("host".to_owned(), address.clone())];
    all.extend_from_slice(headers);
    request(&address, method, path, &all, body).expect("an answer")
}

/// A request to any address. There is no answer where the connection is closed without a byte.
pub(crate) fn request(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Option<Answer> {
    let mut connection = TcpStream::connect(address).expect("a connection");
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    head.extend(
        headers
            .iter()
            .flat_map(|(name, value)| [name, ": ", value, "\r\n"]),
    );
    head.push_str("\r\n");
    connection.write_all(head.as_bytes()).expect("it is sent");
    // An answer may come before the whole body is read, and the connection be closed.
    let _ = connection.write_all(body);
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    (!answer.is_empty()).then(|| parse(&answer))
}

/// Sends bytes to the Runtime API as they are. Answers the status, where there is an answer soon.
pub(crate) fn send_raw(bytes: &[u8]) -> Option<u16> {
    let address = env::var("AWS_LAMBDA_RUNTIME_API").expect("the address of the Runtime API");
    let mut connection = TcpStream::connect(address).expect("a connection");
    connection
        .set_read_timeout(Some(PATIENCE))
        .expect("it can be set");
    let _ = connection.write_all(bytes);
    let mut answer = [0; 64];
    let length = connection.read(&mut answer).ok()?;
    let line = String::from_utf8_lossy(&answer[..length]);
    line.split(' ').nth(1)?.parse().ok()
}

fn parse(answer: &[u8]) -> Answer {
    let end = answer
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .expect("the end of the headers");
    let head = String::from_utf8_lossy(&answer[..end]);
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .expect("a status")
        .parse()
        .expect("a number");
    let headers = lines.filter_map(|line| line.split_once(": "));
    Answer {
        status,
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: answer[end + 4..].to_vec(),
    }
}
