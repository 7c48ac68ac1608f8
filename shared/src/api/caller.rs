//! Who sent a request, where API Gateway has found that out
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>). Nothing is
//! allowed or refused by it here: that is the authorizer's part. It keeps apart what callers may happen to call the same.

use lambda_http::{
    Request, RequestExt, aws_lambda_events::apigw::ApiGatewayRequestAuthorizer, request::RequestContext,
};

/// What the caller is known by, the same in each of its requests; nothing where the API is open.
pub(super) fn caller(request: &Request) -> Option<String> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.authorizer.as_ref().and_then(name),
        _ => None,
    }
}

fn name(authorizer: &ApiGatewayRequestAuthorizer) -> Option<String> {
    if let Some(jwt) = &authorizer.jwt {
        // Subjects are unique with their issuer alone (https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2).
        let claim = |name| jwt.claims.get(name).map_or("", String::as_str);
        return Some(format!("jwt\0{}\0{}", claim("iss"), claim("sub")));
    }
    let iam = authorizer.iam.as_ref()?;
    // Of a role it has the session's name at its end: another process of the same program has another one, and may be the one
    // that sends a request again (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html).
    let principal = iam.user_id.as_deref().unwrap_or_default();
    let principal = principal.split(':').next().unwrap_or_default();
    // All users of an identity pool have the same role.
    let identity = iam.cognito_identity.as_ref();
    let identity = identity
        .and_then(|it| it.identity_id.as_deref())
        .unwrap_or_default();
    Some(format!("iam\0{principal}\0{identity}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn named(authorizer: Value) -> Option<String> {
        name(&serde_json::from_value(authorizer).unwrap())
    }

    fn by_iam(user_id: &str, identity: &Value) -> Option<String> {
        named(json!({"iam": {
            "accessKey": "ASIA", "accountId": "123456789012", "callerId": user_id, "cognitoIdentity": identity,
            "principalOrgId": null, "userArn": "arn:aws:sts::123456789012:assumed-role/R/s", "userId": user_id,
        }}))
    }

    #[test]
    fn tokens_are_told_apart_by_issuer_and_subject_alone() {
        let by = |issuer: &str, subject: &str, time: &str| {
            let claims = json!({"iss": issuer, "sub": subject, "iat": time});
            named(json!({"jwt": {"claims": claims, "scopes": null}}))
        };
        assert_eq!(by("https://a", "1", "10"), by("https://a", "1", "20"));
        assert_ne!(by("https://a", "1", "10"), by("https://a", "2", "10"));
        assert_ne!(by("https://a", "1", "10"), by("https://b", "1", "10"));
    }

    #[test]
    fn a_role_is_one_caller_in_all_its_sessions_and_an_identity_of_a_pool_is_one_by_itself() {
        let identity = |id| json!({"amr": ["authenticated"], "identityId": id, "identityPoolId": "p"});
        assert_eq!(
            by_iam("AROA1:one", &Value::Null),
            by_iam("AROA1:two", &Value::Null)
        );
        assert_ne!(
            by_iam("AROA1:one", &Value::Null),
            by_iam("AROA2:one", &Value::Null)
        );
        assert_ne!(
            by_iam("AROA1:CognitoIdentityCredentials", &identity("a")),
            by_iam("AROA1:CognitoIdentityCredentials", &identity("b"))
        );
    }

    #[test]
    fn an_open_api_knows_nobody() {
        assert_eq!(named(json!({})), None);
    }
}
