//! The canonical request: the form of a request that both sides hash, whatever happened to it on its way
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request>).

use std::fmt::Write as _;

use axum::http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// What is encoded in names and values: all but letters, digits and these four.
const RESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The canonical form of a request with these signed headers.
pub(super) fn request(request: &Parts, signed_headers: &[&str], body: &[u8]) -> String {
    let mut text = format!(
        "{}\n{}\n{}\n",
        request.method,
        path(request.uri.path()),
        query(request.uri.query().unwrap_or_default())
    );
    for name in signed_headers {
        let values = request.headers.get_all(*name).iter();
        let values: Vec<String> = values
            .map(|value| trimmed(&String::from_utf8_lossy(value.as_bytes())))
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}:{}", values.join(","));
    }
    let _ = write!(text, "\n{}\n{}", signed_headers.join(";"), sha256(body));
    text
}

/// SHA-256, in lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The path without empty and relative segments, and encoded once more than it is: every service but S3 has it so.
fn path(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(encoded(segment)),
        }
    }
    // A path that ends in a segment of no name ends in a slash (RFC 3986, 5.2.4).
    let is_open = ["/", "/.", "/.."].iter().any(|end| path.ends_with(end));
    let trailing = if is_open && !segments.is_empty() { "/" } else { "" };
    format!("/{}{trailing}", segments.join("/"))
}

/// The parameters, encoded exactly once and sorted. A plus stands for a space, as AWS's signers for Rust and Go have it.
fn query(query: &str) -> String {
    let mut parameters: Vec<(String, String)> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let once = |text: &str| encoded(&percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy());
            (once(name), once(value))
        })
        .collect();
    parameters.sort();
    let parameters: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    parameters.join("&")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

/// A header's value with no spaces around it, and single ones in it.
fn trimmed(value: &str) -> String {
    value
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_encoded_twice_and_has_no_empty_or_relative_segments() {
        for (given, expected) in [
            ("/", "/"),
            ("//a//b/", "/a/b/"),
            ("/a/./b/../c", "/a/c"),
            ("/..", "/"),
            ("/a/.", "/a/"),
            ("/a/b/..", "/a/"),
            ("/function%3AWorker", "/function%253AWorker"),
            ("/a:b$c-d.e_f~g", "/a%3Ab%24c-d.e_f~g"),
        ] {
            assert_eq!(path(given), expected);
        }
    }

    #[test]
    fn a_query_is_encoded_once_and_sorted() {
        for (given, expected) in [
            ("", ""),
            ("b=2&a=1&a=0", "a=0&a=1&b=2"),
            ("Qualifier=%24LATEST", "Qualifier=%24LATEST"),
            ("Qualifier=$LATEST", "Qualifier=%24LATEST"),
            ("flag", "flag="),
            ("a=b=c", "a=b%3Dc"),
            ("a=b+c%2B", "a=b%20c%2B"),
        ] {
            assert_eq!(query(given), expected);
        }
    }

    #[test]
    fn the_values_of_a_header_are_trimmed_and_joined() {
        let parts = axum::http::Request::builder()
            .header("my-header", "  a   b ")
            .header("my-header", "c")
            .body(())
            .unwrap()
            .into_parts()
            .0;
        assert_eq!(
            request(&parts, &["my-header"], b""),
            "GET\n/\n\nmy-header:a b,c\n\nmy-header\n\
             e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
