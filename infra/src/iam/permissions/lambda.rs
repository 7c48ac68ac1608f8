//! What requests to Lambda need
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html>).

use axum::http::{Method, Uri};

use super::{Permission, permission};
use crate::{
    iam::{Account, Service},
    lambda::api::{FUNCTIONS, FunctionName},
};

/// What a request to a path below [`FUNCTIONS`] needs.
pub(super) fn of_request(account: &Account, method: &Method, uri: &Uri) -> Result<Vec<Permission>, String> {
    let path = uri.path().strip_prefix(FUNCTIONS).unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let (action, name) = match (method, segments.as_slice()) {
        (&Method::GET, []) => ("ListFunctions", None),
        (&Method::GET, [name]) => ("GetFunction", Some(name)),
        (&Method::GET, [name, "configuration"]) => ("GetFunctionConfiguration", Some(name)),
        (&Method::PUT, [name, "configuration"]) => ("UpdateFunctionConfiguration", Some(name)),
        (&Method::POST, [name, "invocations"]) => ("InvokeFunction", Some(name)),
        _ => return Err(format!("lambda: {method} {}", uri.path())),
    };
    let resource = match name {
        None => "*".to_owned(),
        Some(name) => match FunctionName::parse(name, uri.query().unwrap_or_default()) {
            // As it was called: with the qualifier, where there is one.
            Ok(name) => name.arn(&account.region, &account.id),
            Err(_) => return Ok(Vec::new()),
        },
    };
    Ok(vec![permission(Service::Lambda, action, resource)])
}

#[cfg(test)]
mod tests {
    use super::super::{account, lines};
    use super::*;

    fn needed(method: &Method, path: &str) -> Option<Vec<String>> {
        let uri = format!("{FUNCTIONS}{path}").parse().unwrap();
        lines(of_request(&account(), method, &uri).ok())
    }

    #[test]
    fn each_operation_needs_its_action_on_the_function() {
        let function = "arn:aws:lambda:us-east-1:123456789012:function:Worker";
        for (method, path, action) in [
            (Method::POST, "/Worker/invocations", "lambda:InvokeFunction"),
            (Method::GET, "/Worker", "lambda:GetFunction"),
            (
                Method::GET,
                "/Worker/configuration",
                "lambda:GetFunctionConfiguration",
            ),
            (
                Method::PUT,
                "/Worker/configuration",
                "lambda:UpdateFunctionConfiguration",
            ),
        ] {
            assert_eq!(needed(&method, path), Some(vec![format!("{action} {function}")]));
        }
        assert_eq!(
            needed(&Method::GET, "/"),
            Some(vec!["lambda:ListFunctions *".to_owned()])
        );
        assert_eq!(needed(&Method::DELETE, "/Worker"), None);
    }

    #[test]
    fn the_function_is_judged_as_it_was_called() {
        let base = "arn:aws:lambda:us-east-1:123456789012:function:Worker";
        let other = "arn:aws:lambda:eu-west-1:000000000000:function:Worker";
        let latest = format!("{base}:$LATEST");
        for (path, resource) in [
            ("/Worker/invocations?Qualifier=%24LATEST", latest.as_str()),
            ("/Worker%3A%24LATEST/invocations", &latest),
            ("/Worker:$LATEST/invocations?Qualifier=%24LATEST", &latest),
            ("/123456789012:function:Worker/invocations", base),
            (
                "/arn%3Aaws%3Alambda%3Aeu-west-1%3A000000000000%3Afunction%3AWorker/invocations",
                other,
            ),
        ] {
            let expected = format!("lambda:InvokeFunction {resource}");
            assert_eq!(needed(&Method::POST, path), Some(vec![expected]), "{path}");
        }
    }

    #[test]
    fn what_is_no_function_needs_nothing() {
        for path in ["/a%20b/invocations", "/Worker:live/invocations?Qualifier=other"] {
            assert_eq!(needed(&Method::POST, path), Some(Vec::new()), "{path}");
        }
    }
}
