//! Percent-encoding in requests. How an HTTP API decodes paths is not documented; the recordings in
//! <https://github.com/hotsock/voker/blob/main/vokerhttp/testdata/ingress-paths.json> show it.

/// The path of a request as routes and events have it: decoded, cut at the first question mark that has come of this,
/// and decoded again. Nothing, where it cannot be: API Gateway refuses the request.
pub(super) fn decoded_path(path: &str) -> Option<String> {
    let once = percent_decoded(path)?;
    percent_decoded(once.split('?').next()?)
}

/// A name or a value of a query string, decoded; as it is, where it cannot be.
pub(super) fn decoded_parameter(text: &str) -> String {
    percent_decoded(&text.replace('+', " ")).unwrap_or_else(|| text.to_owned())
}

/// Nothing, where a percent sign begins no byte, or the bytes are no text.
fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part
            .get(..2)
            .filter(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The paths and results of the recordings that the module names.
    #[test]
    fn a_path_is_decoded_twice_and_cut_at_a_question_mark() {
        for (sent, path) in [
            ("/plain", Some("/plain")),
            ("/space%20value", Some("/space value")),
            ("/question%3Fvalue", Some("/question")),
            ("/percent%25done", None),
            ("/hash%23value", Some("/hash#value")),
            ("/slash%2Fvalue", Some("/slash/value")),
            ("/unicode-%CE%BB-%E4%B8%96%E7%95%8C", Some("/unicode-λ-世界")),
            ("/literal%252Fvalue", Some("/literal/value")),
            ("/literal%253Fvalue", Some("/literal?value")),
            ("/literal%2525value", Some("/literal%value")),
        ] {
            assert_eq!(decoded_path(sent).as_deref(), path, "{sent}");
        }
    }

    #[test]
    fn what_is_no_encoding_cannot_be_decoded() {
        for path in ["/%", "/%4", "/%+1", "/%zz", "/%ff", "/%€"] {
            assert_eq!(decoded_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_parameter_that_cannot_be_decoded_stays_as_it_is() {
        assert_eq!(decoded_parameter("x%20y+z%2B"), "x y z+");
        assert_eq!(decoded_parameter("50%+1"), "50%+1");
    }
}
