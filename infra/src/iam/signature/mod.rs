//! Signature Version 4, as services check it: the `Authorization` header is read, its claims are compared with the
//! request, and the signature is made once more with the secret key
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
//!
//! The order of the checks and the words of the refusals are DynamoDB's, recorded in the comments of
//! github.com/mhart/dynalite; the messages of Lambda and SQS are the same where they are known. Signatures in the
//! query, as presigned URLs have them, are refused.

mod canonical;

use axum::http::{header, request::Parts};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp, civil::DateTime, fmt::rfc2822, tz::TimeZone};
use sha2::Sha256;

use super::Refusal;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
const DATE_AND_TIME: &str = "%Y%m%dT%H%M%SZ";

/// How far the time of a request may be from the service's
/// (<https://repost.aws/knowledge-center/lambda-sdk-signature>). DynamoDB allowed 15 minutes in older recordings, and
/// 5 in newer ones.
const MINUTES: i64 = 5;

/// A request with what its `Authorization` header claims.
#[derive(Debug)]
pub(super) struct SignedRequest<'a> {
    request: &'a Parts,
    algorithm: &'a str,
    credential: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
    time: Timestamp,
}

impl<'a> SignedRequest<'a> {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// The request is not signed, or the header is not complete.
    pub(super) fn read(request: &'a Parts) -> Result<Self, Refusal> {
        if is_presigned(request) {
            let message =
                "The local cloud does not take signatures in the query; sign by the Authorization header.";
            return Err(Refusal::IncompleteSignature(message.to_owned()));
        }
        let authorization = header(request, header::AUTHORIZATION.as_str()).unwrap_or_default();
        if !authorization.starts_with("AWS4-") {
            return Err(Refusal::Unsigned { url: url(request) });
        }
        let (algorithm, parameters) = authorization.split_once(' ').unwrap_or((authorization, ""));
        let parameter = |name: &str| parameters.split(',').find_map(|parameter| value(parameter, name));
        let read = (
            parameter("Credential"),
            parameter("Signature"),
            parameter("SignedHeaders"),
            time(request)?,
        );
        let (Some(credential), Some(signature), Some(signed_headers), Some(time)) = read else {
            let missing = [
                read.0.is_none(),
                read.1.is_none(),
                read.2.is_none(),
                read.3.is_none(),
            ];
            return Err(incomplete(missing, authorization));
        };
        Ok(Self {
            request,
            algorithm,
            credential,
            signed_headers: signed_headers.split(';').collect(),
            signature,
            time,
        })
    }

    /// Checks that the request was signed about now.
    ///
    /// # Errors
    ///
    /// It was not.
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), Refusal> {
        let window = SignedDuration::from_mins(MINUTES);
        let [time, text_of_now] = [self.time, now].map(date_and_time);
        let (earliest, latest) = (now - window, now + window);
        let message = if self.time < earliest {
            let earliest = date_and_time(earliest);
            format!(
                "Signature expired: {time} is now earlier than {earliest} ({text_of_now} - {MINUTES} min.)"
            )
        } else if self.time > latest {
            let latest = date_and_time(latest);
            format!(
                "Signature not yet current: {time} is still later than {latest} ({text_of_now} + {MINUTES} min.)"
            )
        } else {
            return Ok(());
        };
        Err(Refusal::InvalidSignature(message))
    }

    /// Checks that the signature is meant for this service, in this Region, on that day. Answers the access key id.
    ///
    /// # Errors
    ///
    /// It is not.
    pub(super) fn check_scope(&self, service: &str, region: &str) -> Result<&'a str, Refusal> {
        if !self.signed_headers.contains(&"host") {
            let message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
            return Err(Refusal::InvalidSignature(message.to_owned()));
        }
        if self.algorithm != ALGORITHM {
            let message = format!("Unsupported AWS 'algorithm': '{}'.", self.algorithm);
            return Err(Refusal::IncompleteSignature(message));
        }
        let elements: Vec<&str> = self.credential.split('/').collect();
        let [key, day, claimed_region, claimed_service, terminator] = elements[..] else {
            let expected = "exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term";
            let message = format!("Credential must have {expected}, got '{}'", self.credential);
            return Err(Refusal::IncompleteSignature(message));
        };
        let mut problems = Vec::new();
        if claimed_region != region {
            problems.push(format!(
                "Credential should be scoped to a valid region, not '{claimed_region}'."
            ));
        }
        if claimed_service != service {
            problems.push(format!(
                "Credential should be scoped to correct service: '{service}'."
            ));
        }
        if terminator != TERMINATOR {
            problems.push(format!(
                "Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'."
            ));
        }
        let time = date_and_time(self.time);
        if day != &time[..8] {
            let claim =
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP";
            problems.push(format!("{claim}: '{day}' != '{}', from '{time}'.", &time[..8]));
        }
        if problems.is_empty() {
            Ok(key)
        } else {
            Err(Refusal::InvalidSignature(problems.join(" ")))
        }
    }

    /// Checks the signature itself. It comes after [`Self::check_scope`]. What a request says in
    /// `X-Amz-Content-Sha256` has no effect: these services hash what they received.
    ///
    /// # Errors
    ///
    /// It was made with another key, or of another request.
    pub(super) fn verify(&self, secret_access_key: &str, body: &[u8]) -> Result<(), Refusal> {
        let (_, scope) = self.credential.split_once('/').unwrap_or_default();
        let canonical_request = canonical::request(self.request, &self.signed_headers, body);
        let string_to_sign = format!(
            "{ALGORITHM}\n{}\n{scope}\n{}",
            date_and_time(self.time),
            canonical::sha256(canonical_request.as_bytes())
        );
        let mut key = format!("AWS4{secret_access_key}").into_bytes();
        for element in scope.split('/') {
            key = hmac(&key, element).finalize().into_bytes().to_vec();
        }
        // The comparison takes the same time, wherever the difference is.
        let claimed = bytes(self.signature).unwrap_or_default();
        hmac(&key, &string_to_sign)
            .verify_slice(&claimed)
            .map_err(|_| {
                let message = "The request signature we calculated does not match the signature you provided. Check \
                    your AWS Secret Access Key and signing method. Consult the service documentation for details.";
                Refusal::InvalidSignature(message.to_owned())
            })
    }

    /// The token that temporary keys come with.
    pub(super) fn session_token(&self) -> Option<&'a str> {
        header(self.request, "x-amz-security-token")
    }
}

fn header<'a>(request: &'a Parts, name: &str) -> Option<&'a str> {
    request.headers.get(name)?.to_str().ok()
}

fn is_presigned(request: &Parts) -> bool {
    let query = request.uri.query().unwrap_or_default();
    let mut names = query
        .split('&')
        .map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    names.any(|name| ["X-Amz-Algorithm", "X-Amz-Signature"].contains(&name))
}

fn url(request: &Parts) -> String {
    let host = header(request, header::HOST.as_str()).unwrap_or_default();
    format!("http://{host}{}", request.uri.path())
}

/// The value of a `name=value` of that name. AWS takes an empty one for none.
fn value<'a>(parameter: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = parameter.trim().split_once('=')?;
    (found == name && !value.is_empty()).then_some(value)
}

/// When the request says that it was signed.
fn time(request: &Parts) -> Result<Option<Timestamp>, Refusal> {
    let read = if let Some(text) = header(request, "x-amz-date") {
        DateTime::strptime(DATE_AND_TIME, text)
            .and_then(|time| TimeZone::UTC.to_timestamp(time))
            .map_err(|_| text)
    } else if let Some(text) = header(request, header::DATE.as_str()) {
        rfc2822::parse(text)
            .map(|time| time.timestamp())
            .map_err(|_| text)
    } else {
        return Ok(None);
    };
    read.map(Some).map_err(|text| {
        let rule = "Date must be in ISO-8601 'basic format'.";
        let message = format!("{rule} Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601");
        Refusal::IncompleteSignature(message)
    })
}

fn date_and_time(time: Timestamp) -> String {
    time.strftime(DATE_AND_TIME).to_string()
}

/// Names what is missing: credential, signature, signed headers, date.
fn incomplete(missing: [bool; 4], authorization: &str) -> Refusal {
    let needed = [
        "'Credential' parameter",
        "'Signature' parameter",
        "'SignedHeaders' parameter",
        "existence of either a 'X-Amz-Date' or a 'Date' header",
    ];
    let mut message = String::new();
    for (_, needed) in missing.iter().zip(needed).filter(|(missing, _)| **missing) {
        message.push_str("Authorization header requires ");
        message.push_str(needed);
        message.push_str(". ");
    }
    Refusal::IncompleteSignature(format!("{message}Authorization={authorization}"))
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn hmac(key: &[u8], text: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(key)
        .expect("any key fits")
        .chain_update(text)
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = hexadecimal
        .chars()
        .map(|digit| digit.to_digit(16))
        .collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(high * 16 + low).ok())
        .collect()
}

#[cfg(test)]
mod tests;
