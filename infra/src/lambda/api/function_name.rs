//! How requests name a function: by its name, a part of its ARN or the whole of it, with or without a qualifier, which
//! may also stand in the query (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).

use axum::http::StatusCode;
use percent_encoding::percent_decode_str;

use super::refusal::Refusal;

/// The only version that there is here.
const LATEST: &str = "$LATEST";

/// A function as a request names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FunctionName {
    region: Option<String>,
    account_id: Option<String>,
    pub(super) name: String,
    qualifier: Option<String>,
}

impl FunctionName {
    /// Reads a name as it stands in a path, and the qualifier in a query.
    pub(super) fn parse(encoded: &str, query: &str) -> Result<Self, Refusal> {
        let text = decode(encoded);
        let mut name = Self::read(&text).ok_or_else(|| malformed(&text))?;
        let in_query = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("Qualifier="))
            .map(decode);
        if let (Some(one), Some(other)) = (&name.qualifier, &in_query)
            && one != other
        {
            let message =
                "The derived qualifier from the function name does not match the specified qualifier.";
            return Err(Refusal::invalid_parameter(message));
        }
        name.qualifier = name.qualifier.or(in_query);
        Ok(name)
    }

    /// `name`, `account:function:name` or `arn:aws:lambda:region:account:function:name`, and perhaps `:qualifier`.
    fn read(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (region, account_id, rest) = match parts.as_slice() {
            ["arn", "aws", "lambda", region, account_id, "function", rest @ ..] => {
                (Some(*region), Some(*account_id), rest)
            }
            [account_id, "function", rest @ ..] => (None, Some(*account_id), rest),
            rest => (None, None, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (name, None),
            [name, qualifier] => (name, Some(*qualifier)),
            _ => return None,
        };
        let is_valid = !name.is_empty()
            && name.len() <= 140
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        is_valid.then(|| Self {
            region: region.map(str::to_owned),
            account_id: account_id.map(str::to_owned),
            name: (*name).to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// Whether it is the version that there is.
    pub(super) fn is_latest(&self) -> bool {
        self.qualifier
            .as_deref()
            .is_none_or(|qualifier| qualifier == LATEST)
    }

    /// The whole ARN of a function in that Region and account.
    pub(super) fn arn(&self, region: &str, account_id: &str) -> String {
        let qualifier = self
            .qualifier
            .as_ref()
            .map(|qualifier| format!(":{qualifier}"))
            .unwrap_or_default();
        format!(
            "arn:aws:lambda:{region}:{account_id}:function:{}{qualifier}",
            self.name
        )
    }

    /// A function elsewhere cannot be reached.
    pub(super) fn check_location(&self, region: &str, account_id: &str) -> Result<(), Refusal> {
        if let Some(other) = self.region.as_deref().filter(|other| *other != region) {
            let message = format!("Functions from '{other}' are not reachable in this region ('{region}')");
            return Err(Refusal::new(
                StatusCode::NOT_FOUND,
                "ResourceNotFoundException",
                message,
            ));
        }
        if let Some(other) = self.account_id.as_deref().filter(|other| *other != account_id) {
            let message = format!(
                "User is not authorized to perform: lambda:InvokeFunction on resource: {} because no resource-based \
                 policy allows the lambda:InvokeFunction action",
                self.arn(region, other)
            );
            return Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                message,
            ));
        }
        Ok(())
    }
}

fn malformed(text: &str) -> Refusal {
    let message = format!(
        "1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{{2}}((-gov)|(-iso([a-z]?)))?-\
         [a-z]+-\\d{{1}}:)?(\\d{{12}}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?"
    );
    Refusal::new(StatusCode::BAD_REQUEST, "ValidationException", message)
}

/// Decodes what is percent-encoded. What is not UTF-8 then is no name either.
fn decode(encoded: &str) -> String {
    percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, query: &str) -> (Option<String>, Option<String>, String, Option<String>) {
        let FunctionName {
            region,
            account_id,
            name,
            qualifier,
        } = FunctionName::parse(text, query).unwrap();
        (region, account_id, name, qualifier)
    }

    #[test]
    fn a_function_has_a_name_a_partial_arn_and_an_arn() {
        let (region, account, name) = (
            "us-east-1".to_owned(),
            "123456789012".to_owned(),
            "f-1_".to_owned(),
        );
        assert_eq!(parts("f-1_", ""), (None, None, name.clone(), None));
        assert_eq!(
            parts("123456789012:function:f-1_", ""),
            (None, Some(account.clone()), name.clone(), None)
        );
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:f-1_";
        assert_eq!(parts(arn, ""), (Some(region), Some(account), name, None));
        assert_eq!(
            FunctionName::parse(arn, "")
                .unwrap()
                .arn("us-east-1", "123456789012"),
            arn
        );
    }

    #[test]
    fn names_come_encoded_and_the_qualifier_in_two_places() {
        for (text, query) in [
            ("f:$LATEST", ""),
            ("f%3A%24LATEST", ""),
            ("f", "Qualifier=%24LATEST"),
            ("f", "a=b"),
        ] {
            let name = FunctionName::parse(text, query).unwrap();
            assert!(name.is_latest(), "{text}?{query}");
            assert_eq!(name.name, "f");
        }
        assert!(
            !FunctionName::parse("f:live", "Qualifier=live")
                .unwrap()
                .is_latest()
        );
        assert!(FunctionName::parse("f:live", "Qualifier=$LATEST").is_err());
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        for text in [
            "",
            "f f",
            "a:b:c:d",
            "arn:aws:lambda:us-east-1:123456789012:function:",
            "f%ff",
            "f%2Fg",
        ] {
            let refusal = FunctionName::parse(text, "").unwrap_err();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{text}");
        }
    }
}
