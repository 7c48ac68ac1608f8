//! The event with which API Gateway invokes a function: an HTTP API's proxy event, payload format 2.0, as at
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use jiff::Timestamp;
use serde_json::{Value, json};

/// The event of `POST /tasks` with this JSON body, received at this time.
pub fn post_tasks(body: &Value, received_at: Timestamp) -> Value {
    let body = body.to_string();
    let milliseconds = received_at.as_millisecond();
    let time = received_at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string();
    json!({
        "version": "2.0",
        "routeKey": "ANY /tasks",
        "rawPath": "/tasks",
        "rawQueryString": "",
        "headers": {
            "accept": "*/*",
            "content-length": body.len().to_string(),
            "content-type": "application/json",
            "host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "user-agent": USER_AGENT,
            // An epoch in hexadecimal seconds, then 96 bits that need to differ from call to call alone.
            "x-amzn-trace-id": format!("Root=1-{:08x}-{milliseconds:024x}", received_at.as_second()),
            "x-forwarded-for": SOURCE_IP,
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": "POST",
                "path": "/tasks",
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE_IP,
                "userAgent": USER_AGENT,
            },
            "requestId": format!("{milliseconds:x}="),
            "routeKey": "ANY /tasks",
            "stage": "$default",
            "time": time,
            "timeEpoch": milliseconds,
        },
        "body": body,
        "isBase64Encoded": false,
    })
}

/// What the load generator calls itself.
pub const USER_AGENT: &str = concat!("lambda-offload-benches/", env!("CARGO_PKG_VERSION"));

/// An address that RFC 5737 sets aside for documentation.
const SOURCE_IP: &str = "192.0.2.1";

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Value {
        post_tasks(
            &json!({"kind": "sleep", "millis": 0}),
            "2026-03-09T07:05:04.321Z".parse().unwrap(),
        )
    }

    #[test]
    fn the_body_travels_as_text_with_its_length() {
        let event = event();
        let body = event["body"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(body).unwrap(),
            json!({"kind": "sleep", "millis": 0})
        );
        assert_eq!(event["headers"]["content-length"], body.len().to_string());
        assert_eq!(event["isBase64Encoded"], false);
    }

    #[test]
    fn the_route_and_the_method_are_those_of_the_api() {
        let event = event();
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["rawPath"], "/tasks");
        assert_eq!(event["routeKey"], event["requestContext"]["routeKey"]);
        assert_eq!(event["requestContext"]["http"]["method"], "POST");
    }

    #[test]
    fn the_time_is_given_as_api_gateway_gives_it() {
        let event = event();
        assert_eq!(event["requestContext"]["time"], "09/Mar/2026:07:05:04 +0000");
        assert_eq!(event["requestContext"]["timeEpoch"], 1_773_039_904_321_i64);
    }

    #[test]
    fn the_trace_id_has_the_shape_of_x_ray() {
        let event = event();
        let trace = event["headers"]["x-amzn-trace-id"].as_str().unwrap();
        let lengths: Vec<usize> = trace.split('-').map(str::len).collect();
        assert_eq!(lengths, ["Root=1".len(), 8, 24]);
    }
}
