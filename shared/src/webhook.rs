//! Tells people how a task ended: a message in the format of Slack's incoming webhooks
//! (<https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>), which other chat services take as
//! well. It is a courtesy: it never delays a record, never fails a task, and is lost if the function dies before it.
//! Who must know reads the record.

use std::{
    error::Error,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_smithy_runtime_api::client::{http::HttpConnector, orchestrator::HttpRequest};
use aws_smithy_types::body::SdkBody;
use lambda_http::http::Uri;
use rustls::crypto::ring;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::warn;

use crate::{
    Record, Status,
    aws::{self, Connector, Trust},
};

/// The environment variable that holds the webhook's address. It is a secret: who knows it can post.
const VARIABLE: &str = "NOTIFY_WEBHOOK_URL";

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(3);

/// The pauses after the first and the second attempt; there are three.
const PAUSES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// The webhook, if there is one. By default there is none.
#[derive(Clone, Debug, Default)]
pub struct Webhook(Option<Target>);

#[derive(Clone)]
struct Target {
    url: String,
    /// Made when it is first used: reading the trust store would make every cold start longer.
    connector: Arc<OnceLock<Connector>>,
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Target(secret)")
    }
}

/// Why an attempt failed, and whether another may succeed.
struct Refusal {
    reason: String,
    is_final: bool,
}

impl Webhook {
    /// The webhook that the environment variable `NOTIFY_WEBHOOK_URL` names; none where it is unset or empty. One
    /// that is no HTTP address is logged and left out: it must not keep tasks from running.
    pub fn from_environment() -> Self {
        let url = aws::setting(VARIABLE).unwrap_or_default();
        if url.is_empty() {
            return Self(None);
        }
        if let Err(error) = request(&url, String::new()) {
            warn!(%error, "{VARIABLE} is not the address of a webhook: nobody will be notified");
            return Self(None);
        }
        let connector = Arc::default();
        Self(Some(Target { url, connector }))
    }

    /// Says that the task has ended, unless it has not been said by `deadline`.
    pub(crate) async fn notify(&self, record: &Record, deadline: Instant) {
        let Some(target) = &self.0 else { return };
        let message = json!({ "text": text(record) }).to_string();
        let reason = match timeout_at(deadline, target.post(message)).await {
            Ok(Ok(())) => return,
            Ok(Err(reason)) => reason,
            Err(_) => "the function's time is up".to_owned(),
        };
        warn!(task_id = %record.id, reason, "the webhook was not told that the task ended");
    }
}

impl Target {
    async fn post(&self, message: String) -> Result<(), String> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let attempt = timeout(ATTEMPT, self.attempt(message.clone())).await;
            let refusal = match attempt {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(refusal)) => refusal,
                Err(_) => Refusal::passing(format!("no answer within {} s", ATTEMPT.as_secs())),
            };
            match pauses.next() {
                Some(pause) if !refusal.is_final => sleep(pause).await,
                _ => return Err(refusal.reason),
            }
        }
    }

    async fn attempt(&self, message: String) -> Result<(), Refusal> {
        let request = request(&self.url, message).map_err(|error| Refusal::passing(error.to_string()))?;
        let connector = self.connector.get_or_init(|| {
            let tls = Trust::system().client_config(ring::default_provider());
            Connector::new(tls, None)
        });
        let answer = connector.call(request).await;
        // The error is not shown as it stands: it may hold the address.
        let answer = answer.map_err(|_| Refusal::passing("it cannot be reached".to_owned()))?;
        let status = answer.status().as_u16();
        match status {
            200..300 => Ok(()),
            429 | 500.. => Err(Refusal::passing(format!("it answered {status}"))),
            _ => Err(Refusal {
                reason: format!("it answered {status}"),
                is_final: true,
            }),
        }
    }
}

impl Refusal {
    fn passing(reason: String) -> Self {
        Self {
            reason,
            is_final: false,
        }
    }
}

fn request(url: &str, message: String) -> Result<HttpRequest, Box<dyn Error + Send + Sync>> {
    let uri: Uri = url.parse()?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none_or(str::is_empty) {
        return Err("it does not begin with https:// and a host".into());
    }
    let mut request = HttpRequest::new(SdkBody::from(message));
    request.set_method("POST")?;
    request.set_uri(url)?;
    request.headers_mut().insert("content-type", "application/json");
    Ok(request)
}

/// The message: what happened to which task, and why.
fn text(record: &Record) -> String {
    let icon = match record.status {
        Status::Succeeded => ":white_check_mark:",
        Status::Cancelled => ":no_entry_sign:",
        _ => ":x:",
    };
    let Record {
        kind, id, attempts, ..
    } = record;
    let after = record.finished_at.map_or_else(String::new, |finished| {
        let seconds = (finished - record.accepted_at).as_secs_f64();
        format!(" {seconds:.1} s after it was accepted")
    });
    let attempts = match attempts {
        0 | 1 => String::new(),
        _ => format!(", in {attempts} attempts"),
    };
    let reason = record
        .error
        .as_ref()
        .map_or_else(String::new, |failure| format!(": {}", escaped(&failure.message)));
    format!(
        "{icon} Task `{id}` ({kind}) {}{after}{attempts}{reason}",
        record.status
    )
}

/// Slack's three control characters, which could make a mention or a link of somebody's text
/// (<https://docs.slack.dev/messaging/formatting-message-text>).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Map, Value};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::{Timestamp, record::Failure};

    fn webhook(url: String) -> Webhook {
        Webhook(Some(Target {
            url,
            connector: Arc::default(),
        }))
    }

    fn failed() -> Record {
        let accepted = Timestamp::at(Duration::from_secs(1_000));
        let failure = Failure::of_task("<!channel> & co");
        Record::accept("sleep", Map::new(), accepted).failed(failure, accepted + Duration::from_secs(2))
    }

    /// A service that gives these answers, one after the other. It keeps the bodies that it got.
    async fn service(answers: &'static [u16]) -> (String, Arc<Mutex<Vec<Value>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bodies);
        tokio::spawn(async move {
            for status in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                let body = loop {
                    stream.read_buf(&mut request).await.unwrap();
                    let text = String::from_utf8_lossy(&request);
                    let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
                    if let Some(body) = body.and_then(|body| serde_json::from_str(body).ok()) {
                        break body;
                    }
                };
                kept.lock().unwrap().push(body);
                let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (url, bodies)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(30)
    }

    #[tokio::test]
    async fn an_ended_task_is_told_in_slacks_format_and_cannot_mention_anybody() {
        let (url, bodies) = service(&[200]).await;
        let record = failed();
        webhook(url).notify(&record, soon()).await;
        let text = format!(
            ":x: Task `{}` (sleep) failed 2.0 s after it was accepted: &lt;!channel&gt; &amp; co",
            record.id
        );
        assert_eq!(*bodies.lock().unwrap(), [json!({ "text": text })]);
    }

    #[tokio::test]
    async fn a_fault_that_may_pass_is_tried_again_and_a_refusal_is_not() {
        for (answers, expected) in [(&[500, 429, 200][..], 3), (&[500, 500, 500], 3), (&[404], 1)] {
            let (url, bodies) = service(answers).await;
            webhook(url).notify(&failed(), soon()).await;
            assert_eq!(bodies.lock().unwrap().len(), expected, "{answers:?}");
        }
    }

    #[tokio::test]
    async fn a_service_that_does_not_answer_holds_nobody_beyond_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let deadline = Instant::now() + Duration::from_millis(100);
        let (webhook, record) = (webhook(url), failed());
        let notified = webhook.notify(&record, deadline);
        timeout(Duration::from_secs(2), notified).await.unwrap();
    }

    #[test]
    fn only_an_http_address_is_one() {
        for url in ["", "/hook", "ftp://host/", "https://", "http:///x"] {
            assert!(request(url, String::new()).is_err(), "{url}");
        }
        assert!(request("https://hooks.slack.com/services/T0/B0/x", String::new()).is_ok());
    }
}
