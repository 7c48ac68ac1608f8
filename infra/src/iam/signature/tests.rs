use axum::http::{Request, request::Builder};

use super::*;
use crate::iam::Service;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
const DATE: &str = "20260102T030405Z";

fn request() -> Builder {
    Request::builder()
        .method("POST")
        .uri("/")
        .header("host", "127.0.0.1:9000")
        .header("x-amz-date", DATE)
}

fn authorization(service: &str, signed_headers: &str, signature: &str) -> String {
    let scope = format!("20260102/us-east-1/{service}/aws4_request");
    format!(
        "{ALGORITHM} Credential=AKIDEXAMPLE/{scope}, SignedHeaders={signed_headers}, Signature={signature}"
    )
}

fn parts(request: Builder, authorization: &str) -> Parts {
    request
        .header("authorization", authorization)
        .body(())
        .unwrap()
        .into_parts()
        .0
}

/// The signatures of these requests were made with botocore 1.44.5, by its `SigV4Auth`.
fn signed_by_botocore() -> Vec<(Service, Parts, &'static [u8])> {
    let invoke = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3AWorker/\
        invocations?Qualifier=%24LATEST";
    let invoke = request()
        .uri(invoke)
        .header("content-type", "application/json")
        .header("x-amz-invocation-type", "Event");
    let list = request()
        .method("GET")
        .uri("/2015-03-31/functions/?MaxItems=10&Marker=a%2Fb")
        .header("x-amz-meta", "  two   words ");
    let json = |target| {
        request()
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", target)
    };
    let send = json("AmazonSQS.SendMessage").header("x-amz-security-token", "TOKEN/+=");
    let describe = json("DynamoDB_20120810.DescribeTable");
    let signed = |service: Service, request, headers, signature| {
        parts(request, &authorization(service.name(), headers, signature))
    };
    vec![
        (
            Service::Lambda,
            signed(
                Service::Lambda,
                invoke,
                "content-type;host;x-amz-date;x-amz-invocation-type",
                "8ff005dd59a4736bcfc4963c6c7a56a4075ea9087471bb641b448de4ca5b6ac0",
            ),
            br#"{"a":1}"#,
        ),
        (
            Service::Lambda,
            signed(
                Service::Lambda,
                list,
                "host;x-amz-date;x-amz-meta",
                "1da0329512dca8d9dffded121199bb6b31f8269837380a3b732149303188378e",
            ),
            b"",
        ),
        (
            Service::Sqs,
            signed(
                Service::Sqs,
                send,
                "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
                "b20cfbda43b8e03b625e0b5491fbf4b2048e020d651af1728a853243e433a743",
            ),
            r#"{"QueueUrl":"http://127.0.0.1:9000/123456789012/tasks","MessageBody":"ä"}"#.as_bytes(),
        ),
        (
            Service::DynamoDb,
            signed(
                Service::DynamoDb,
                describe,
                "content-type;host;x-amz-date;x-amz-target",
                "7b313f20b134a609b5206f146e8f83d7bc2cba1f0682e9cc79031c1d24c0a0e8",
            ),
            br#"{"TableName":"Tasks"}"#,
        ),
    ]
}

#[test]
fn what_botocore_signs_is_verified() {
    for (service, parts, body) in signed_by_botocore() {
        let signed = SignedRequest::read(&parts).unwrap();
        assert_eq!(signed.check_time(now(0)), Ok(()));
        assert_eq!(signed.check_scope(service.name(), "us-east-1"), Ok("AKIDEXAMPLE"));
        assert_eq!(signed.verify(SECRET, body), Ok(()), "{}", parts.uri);
    }
}

#[test]
fn a_change_of_anything_signed_breaks_the_signature() {
    for (_, parts, body) in signed_by_botocore() {
        let verify = |parts: &Parts, secret, body: &[u8]| {
            let refusal = SignedRequest::read(parts)
                .unwrap()
                .verify(secret, body)
                .unwrap_err();
            assert!(
                matches!(&refusal, Refusal::InvalidSignature(message) if message.contains("does not match"))
            );
        };
        verify(&parts, "another", body);
        verify(&parts, SECRET, b"another");
        let mut changed = parts.clone();
        changed.method = "PUT".parse().unwrap();
        verify(&changed, SECRET, body);
        let mut changed = parts.clone();
        changed.uri = "/another".parse().unwrap();
        verify(&changed, SECRET, body);
        let mut changed = parts;
        changed.headers.insert("host", "another".parse().unwrap());
        verify(&changed, SECRET, body);
    }
}

#[test]
fn a_signature_that_is_no_hexadecimal_number_is_none() {
    for signature in ["xyz", "8", &"8f".repeat(33), &"+f".repeat(32)] {
        let parts = parts(request(), &authorization("sqs", "host", signature));
        let signed = SignedRequest::read(&parts).unwrap();
        assert!(signed.verify(SECRET, b"").is_err(), "{signature}");
    }
}

/// Seconds after the signature.
fn now(seconds: i64) -> Timestamp {
    let signed = "2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap();
    signed + SignedDuration::from_secs(seconds)
}

#[test]
fn a_signature_is_good_for_five_minutes_before_and_after() {
    let parts = parts(request(), &authorization("sqs", "host", "00"));
    let signed = SignedRequest::read(&parts).unwrap();
    for seconds in [-300, 0, 300] {
        assert_eq!(signed.check_time(now(seconds)), Ok(()));
    }
    let message = |seconds| signed.check_time(now(seconds)).unwrap_err().to_string();
    assert_eq!(
        message(301),
        "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T030906Z - 5 min.)"
    );
    assert_eq!(
        message(-301),
        "Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z (20260102T025904Z + 5 min.)"
    );
}

#[test]
fn a_date_header_will_do_for_the_time() {
    let request = Request::builder().header("date", "Fri, 02 Jan 2026 03:04:05 GMT");
    let parts = parts(request, &authorization("sqs", "host", "00"));
    assert_eq!(SignedRequest::read(&parts).unwrap().time, now(0));
}

fn refusal(request: Builder, authorization: &str) -> Refusal {
    let parts = parts(request, authorization);
    SignedRequest::read(&parts)
        .and_then(|signed| signed.check_scope(Service::Sqs.name(), "us-east-1").map(drop))
        .unwrap_err()
}

#[test]
fn a_request_without_a_signature_is_unsigned() {
    let url = "http://127.0.0.1:9000/".to_owned();
    let unsigned = Refusal::Unsigned { url };
    assert_eq!(refusal(request(), ""), unsigned);
    assert_eq!(refusal(request(), "Basic dXNlcjpwYXNz"), unsigned);
}

#[test]
fn what_an_authorization_header_lacks_is_named() {
    let bare = Request::builder();
    let Refusal::IncompleteSignature(message) = refusal(bare, "AWS4-HMAC-SHA256 Credential=a,Signature=")
    else {
        panic!("not refused as incomplete")
    };
    assert_eq!(
        message,
        "Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
         Authorization=AWS4-HMAC-SHA256 Credential=a,Signature="
    );
}

#[test]
fn a_claim_that_does_not_fit_the_request_is_refused() {
    let good = authorization("sqs", "host", "00");
    for (from, to, expected) in [
        (
            "host",
            "x-amz-date",
            "'Host' or ':authority' must be a 'SignedHeader'",
        ),
        (
            "SHA256",
            "SHA25",
            "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA25'.",
        ),
        (
            "/20260102",
            "",
            "Credential must have exactly 5 slash-delimited elements",
        ),
        (
            "us-east-1",
            "eu-west-1",
            "scoped to a valid region, not 'eu-west-1'.",
        ),
        ("/sqs/", "/sns/", "scoped to correct service: 'sqs'."),
        (
            "aws4_request",
            "e",
            "a valid terminator: 'aws4_request', not 'e'.",
        ),
        (
            "20260102",
            "20260103",
            "'20260103' != '20260102', from '20260102T030405Z'.",
        ),
    ] {
        let message = refusal(request(), &good.replace(from, to)).to_string();
        assert!(message.contains(expected), "{message}");
    }
    let date = Request::builder().header("x-amz-date", "2026");
    let message = refusal(date, &good).to_string();
    assert!(message.starts_with("Date must be in ISO-8601 'basic format'. Got '2026'."));
}

#[test]
fn a_signature_in_the_query_is_refused_by_name() {
    let request = request().uri("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00");
    let message = refusal(request, "").to_string();
    assert!(message.contains("signatures in the query"), "{message}");
}
