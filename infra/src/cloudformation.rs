//! CloudFormation, as far as reading goes: `DescribeStacks`, by the service's Query protocol, with answers in XML. What
//! `infra up` runs is one stack, which is complete when it answers.
//!
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>

use std::fmt::Write as _;

use axum::http::{HeaderValue, Response, StatusCode, header::CONTENT_TYPE};
use bytes::Bytes;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use crate::{iam::Account, template::Output, xml::escape};

/// The version of the API, by which its requests are known.
const VERSION: &str = "2010-05-15";

/// The name space of its answers.
const NAMESPACE: &str = "http://cloudformation.amazonaws.com/doc/2010-05-15/";

/// A request of the Query protocol: the parameters of a form.
#[derive(Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the body of a request. What is no form has no parameters.
    pub fn parse(body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// Whether it is a request to CloudFormation.
    pub fn is_for_cloudformation(&self) -> bool {
        self.get("Version") == Some(VERSION)
    }

    /// What it asks for.
    pub fn action(&self) -> &str {
        self.get("Action").unwrap_or_default()
    }

    /// The name or the id of the stack that it is about, if it names one.
    pub fn stack(&self) -> Option<&str> {
        self.get("StackName")
    }

    fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        pairs.find_map(|(found, value)| (found == name).then_some(value.as_str()))
    }
}

fn decode(encoded: &str) -> String {
    let spaced = encoded.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// The service, with its one stack.
#[derive(Debug)]
pub struct CloudFormation {
    name: String,
    id: String,
    created_at: Timestamp,
    parameters: Vec<(String, String)>,
    outputs: Vec<Output>,
}

/// A request was refused: the code of the error, and its message.
#[derive(Debug, PartialEq)]
struct Refusal(&'static str, String);

impl CloudFormation {
    /// The stack of that name was just created, with these parameters and outputs.
    pub fn new(
        account: &Account,
        name: &str,
        parameters: Vec<(String, String)>,
        outputs: Vec<Output>,
    ) -> Self {
        let Account { id, region } = account;
        let uuid = Uuid::new_v4();
        Self {
            name: name.to_owned(),
            id: format!("arn:aws:cloudformation:{region}:{id}:stack/{name}/{uuid}"),
            created_at: Timestamp::now(),
            parameters,
            outputs,
        }
    }

    /// Answers one request.
    pub fn handle(&self, query: &Query) -> Response<Bytes> {
        let answer = match query.action() {
            "DescribeStacks" => self.describe(query.stack()),
            action => Err(Refusal(
                "InvalidAction",
                format!("the local cloud does not know the action {action} of CloudFormation"),
            )),
        };
        match answer {
            Ok(stack) => describe_response(&stack),
            Err(Refusal(code, message)) => error_response(StatusCode::BAD_REQUEST, code, &message),
        }
    }

    /// The words were recorded in <https://github.com/boto/boto3/issues/2807>.
    fn describe(&self, stack: Option<&str>) -> Result<String, Refusal> {
        match stack {
            Some(stack) if stack != self.name && stack != self.id => {
                let message = format!("Stack with id {stack} does not exist");
                Err(Refusal("ValidationError", message))
            }
            _ => Ok(self.stack()),
        }
    }

    fn stack(&self) -> String {
        let mut xml = String::new();
        element(&mut xml, "StackName", &self.name);
        element(&mut xml, "StackId", &self.id);
        let created_at = self.created_at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string();
        element(&mut xml, "CreationTime", &created_at);
        element(&mut xml, "StackStatus", "CREATE_COMPLETE");
        element(&mut xml, "DisableRollback", "false");
        element(&mut xml, "EnableTerminationProtection", "false");
        list(&mut xml, "Parameters", &self.parameters, |xml, (key, value)| {
            element(xml, "ParameterKey", key);
            element(xml, "ParameterValue", value);
        });
        list(&mut xml, "Outputs", &self.outputs, |xml, output| {
            element(xml, "OutputKey", &output.key);
            element(xml, "OutputValue", &output.value);
            if let Some(description) = &output.description {
                element(xml, "Description", description);
            }
        });
        xml
    }
}

fn list<T>(xml: &mut String, name: &str, items: &[T], write: impl Fn(&mut String, &T)) {
    // Writing to a string does not fail.
    let _ = write!(xml, "<{name}>");
    for item in items {
        xml.push_str("<member>");
        write(xml, item);
        xml.push_str("</member>");
    }
    let _ = write!(xml, "</{name}>");
}

fn element(xml: &mut String, name: &str, text: &str) {
    // Writing to a string does not fail.
    let _ = write!(xml, "<{name}>{}</{name}>", escape(text));
}

fn describe_response(stack: &str) -> Response<Bytes> {
    let id = Uuid::new_v4().to_string();
    let body = format!(
        "<DescribeStacksResponse xmlns=\"{NAMESPACE}\"><DescribeStacksResult><Stacks><member>{stack}</member></Stacks>\
         </DescribeStacksResult><ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
         </DescribeStacksResponse>"
    );
    response(StatusCode::OK, &id, body)
}

/// An error, in the form that was recorded in <https://github.com/boto/boto3/issues/2807>.
pub fn error_response(status: StatusCode, code: &str, message: &str) -> Response<Bytes> {
    let id = Uuid::new_v4().to_string();
    let message = escape(message);
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\">\n  <Error>\n    <Type>Sender</Type>\n    <Code>{code}</Code>\n    \
         <Message>{message}</Message>\n  </Error>\n  <RequestId>{id}</RequestId>\n</ErrorResponse>\n"
    );
    response(status, &id, body)
}

/// The answer to a request that is throttled
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>).
pub fn throttled() -> Response<Bytes> {
    error_response(StatusCode::BAD_REQUEST, "Throttling", "Rate exceeded")
}

fn response(status: StatusCode, id: &str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> CloudFormation {
        let account = Account {
            id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
        };
        let outputs = vec![Output {
            key: "ApiUrl".to_owned(),
            description: Some("Where to POST <tasks> & more".to_owned()),
            value: "http://127.0.0.1:1".to_owned(),
        }];
        let parameters = vec![("TaskTimeout".to_owned(), "60".to_owned())];
        CloudFormation::new(&account, "split-lambda", parameters, outputs)
    }

    fn answer(service: &CloudFormation, form: &str) -> (u16, String) {
        let response = service.handle(&Query::parse(form.as_bytes()));
        let body = String::from_utf8(response.body().to_vec()).unwrap();
        (response.status().as_u16(), body)
    }

    #[test]
    fn a_stack_is_described_by_name_by_id_and_among_all() {
        let service = service();
        let by_id = format!(
            "Action=DescribeStacks&StackName={}",
            service.id.replace(':', "%3A")
        );
        for form in [
            "Action=DescribeStacks&Version=2010-05-15&StackName=split-lambda",
            "Action=DescribeStacks",
            &by_id,
        ] {
            let (status, body) = answer(&service, form);
            assert_eq!(status, 200, "{body}");
            for expected in [
                "<StackStatus>CREATE_COMPLETE</StackStatus>",
                "<ParameterKey>TaskTimeout</ParameterKey><ParameterValue>60</ParameterValue>",
                "<OutputKey>ApiUrl</OutputKey><OutputValue>http://127.0.0.1:1</OutputValue>",
                "Where to POST &lt;tasks&gt; &amp; more",
            ] {
                assert!(body.contains(expected), "{expected} in {body}");
            }
        }
    }

    #[test]
    fn an_unknown_stack_is_a_validation_error() {
        let (status, body) = answer(&service(), "Action=DescribeStacks&StackName=no+such+%3Cstack%3E");
        assert_eq!(status, 400);
        assert!(body.contains("<Code>ValidationError</Code>"), "{body}");
        assert!(
            body.contains("<Message>Stack with id no such &lt;stack&gt; does not exist</Message>"),
            "{body}"
        );
    }

    #[test]
    fn an_unknown_action_is_refused_by_name() {
        let (status, body) = answer(&service(), "Action=DeleteStack&StackName=split-lambda");
        assert_eq!(status, 400);
        assert!(body.contains("DeleteStack"), "{body}");
    }

    #[test]
    fn requests_are_known_by_their_version() {
        assert!(Query::parse(b"Action=DescribeStacks&Version=2010-05-15").is_for_cloudformation());
        assert!(!Query::parse(b"Action=ListQueues&Version=2012-11-05").is_for_cloudformation());
        assert!(!Query::parse(b"\xff\xfe").is_for_cloudformation());
    }
}
