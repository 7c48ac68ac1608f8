//! How requests name a function: by its name, a part of its ARN or the whole of it, with or without a qualifier, which
//! may also stand in the query (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).

use axum::http::StatusCode;

use super::{decode, parameter, refusal::Refusal};

/// The only version that there is here.
const LATEST: &str = "$LATEST";

/// A function as a request names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FunctionName {
    region: Option<String>,
    account_id: Option<String>,
    pub(super) name: String,
    qualifier: Option<String>,
}

impl FunctionName {
    /// Reads a name as it stands in a path, and the qualifier in a query.
    pub(crate) fn parse(encoded: &str, query: &str) -> Result<Self, Refusal> {
        let text = decode(encoded);
        let mut name = Self::read(&text).ok_or_else(|| malformed(&text))?;
        let in_query = parameter(query, "Qualifier");
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

    /// What the pattern in [`malformed`] describes: a name with whatever of an ARN stands before it, and perhaps
    /// `:qualifier`.
    fn read(text: &str) -> Option<Self> {
        let mut parts: Vec<&str> = text.split(':').collect();
        if parts.starts_with(&["arn", "aws", "lambda"]) {
            parts.drain(..3);
        }
        // The name is never taken for what may stand before it.
        let mut take = |is_it: fn(&str) -> bool| {
            (parts.len() > 1 && is_it(parts[0])).then(|| parts.remove(0).to_owned())
        };
        let (region, account_id) = (take(is_region), take(is_account_id));
        take(|part| part == "function");
        let (name, qualifier) = match *parts {
            [name] => (name, None),
            [name, qualifier] => (name, Some(qualifier)),
            _ => return None,
        };
        let is_valid = is_word(name) && qualifier.is_none_or(|one| one == LATEST || is_word(one));
        is_valid.then(|| Self {
            region,
            account_id,
            name: name.to_owned(),
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// Whether it is the version that there is.
    pub(super) fn is_latest(&self) -> bool {
        self.qualifier
            .as_deref()
            .is_none_or(|qualifier| qualifier == LATEST)
    }

    /// The whole ARN, with the qualifier; of a function in that Region and account where the name does not say another.
    pub(crate) fn arn(&self, region: &str, account_id: &str) -> String {
        let region = self.region.as_deref().unwrap_or(region);
        let account_id = self.account_id.as_deref().unwrap_or(account_id);
        let qualifier = self.qualifier.as_ref();
        let qualifier = qualifier.map(|qualifier| format!(":{qualifier}"));
        format!(
            "arn:aws:lambda:{region}:{account_id}:function:{}{}",
            self.name,
            qualifier.unwrap_or_default()
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
        if self
            .account_id
            .as_deref()
            .is_some_and(|other| other != account_id)
        {
            let message = format!(
                "User is not authorized to perform: lambda:InvokeFunction on resource: {} because no resource-based \
                 policy allows the lambda:InvokeFunction action",
                self.arn(region, account_id)
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
    let constraint = "Member must satisfy regular expression pattern: \
        (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?\
        ([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?";
    Refusal::invalid_value(text, "functionName", constraint)
}

/// A word of letters, digits, `-` and `_`. A function's name, with what may stand before it, has at most 140.
fn is_word(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=140).contains(&text.len()) && text.bytes().all(is_letter)
}

/// Such as `us-east-1` or `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return false;
    };
    let is_lower_case = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    (3..=4).contains(&parts.len())
        && first.len() == 2
        && parts[..parts.len() - 1].iter().all(is_lower_case)
        && last.len() == 1
        && last.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
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
        for partial in [
            "function:f-1_",
            "us-east-1:123456789012:function:f-1_",
            "123456789012:f-1_",
        ] {
            assert_eq!(parts(partial, "").2, name, "{partial}");
        }
        assert_eq!(parts("123456789012", "").2, "123456789012");
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
            "f:a b",
            "eu:123456789012:function:f",
        ] {
            let refusal = FunctionName::parse(text, "").unwrap_err();
            assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{text}");
        }
    }
}
