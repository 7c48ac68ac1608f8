//! Permissions that are named instead of written out: SAM's policy templates, and the policies that AWS manages.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html>

use crate::template::Settings;
use crate::template::error::{Problem, Problems};
use crate::template::model::{Effect, Statement};
use crate::template::yaml::Node;

const TEMPLATES: [&str; 6] = [
    "DynamoDBCrudPolicy",
    "DynamoDBReadPolicy",
    "DynamoDBWritePolicy",
    "LambdaInvokePolicy",
    "SQSPollerPolicy",
    "SQSSendMessagePolicy",
];

/// What the policy template with this name allows, given its parameters.
pub(in crate::template) fn expand(
    name: &str,
    parameters: &Node,
    settings: &Settings,
) -> Result<Statement, Problems> {
    let (parameter, service, prefix) = match name {
        "SQSSendMessagePolicy" | "SQSPollerPolicy" => ("QueueName", "sqs", ""),
        "LambdaInvokePolicy" => ("FunctionName", "lambda", "function:"),
        "DynamoDBCrudPolicy" | "DynamoDBReadPolicy" | "DynamoDBWritePolicy" => {
            ("TableName", "dynamodb", "table/")
        }
        _ => {
            let message =
                format!("the policy template `{name}` is not supported by the local cloud, but these are");
            return Err(parameters
                .problem(format!("{message}: {}", TEMPLATES.join(", ")))
                .into());
        }
    };
    let fields = parameters.fields()?;
    fields.allow(&[parameter], &[])?;
    let target = fields.require(parameter)?.text()?;
    let Settings {
        region, account_id, ..
    } = settings;
    let arn = format!("arn:aws:{service}:{region}:{account_id}:{prefix}{target}");
    let resources = match service {
        "sqs" => vec![arn],
        "lambda" => vec![format!("{arn}*")],
        _ => vec![arn.clone(), format!("{arn}/index/*")],
    };
    Ok(allow(actions(name), resources))
}

fn actions(template: &str) -> &'static [&'static str] {
    match template {
        "SQSSendMessagePolicy" => &["sqs:SendMessage*"],
        "SQSPollerPolicy" => &[
            "sqs:ChangeMessageVisibility",
            "sqs:ChangeMessageVisibilityBatch",
            "sqs:DeleteMessage",
            "sqs:DeleteMessageBatch",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage",
        ],
        "LambdaInvokePolicy" => &["lambda:InvokeFunction"],
        "DynamoDBReadPolicy" => &[
            "dynamodb:GetItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
        ],
        "DynamoDBWritePolicy" => &[
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
        ],
        _ => &[
            "dynamodb:GetItem",
            "dynamodb:DeleteItem",
            "dynamodb:PutItem",
            "dynamodb:Scan",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:BatchGetItem",
            "dynamodb:DescribeTable",
            "dynamodb:ConditionCheckItem",
        ],
    }
}

/// What a policy that AWS manages allows, of what exists locally; writing logs and traces is nothing here.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html>
pub(in crate::template) fn managed(policy: &Node) -> Result<Vec<Statement>, Problem> {
    let text = policy.text()?;
    let name = text.strip_prefix("arn:aws:iam::aws:policy/").unwrap_or(text);
    match name.strip_prefix("service-role/").unwrap_or(name) {
        "AmazonECSTaskExecutionRolePolicy"
        | "AWSLambdaBasicExecutionRole"
        | "AWSXRayDaemonWriteAccess"
        | "AWSXrayWriteOnlyAccess" => Ok(Vec::new()),
        "AWSLambdaSQSQueueExecutionRole" => Ok(vec![queue_execution_role()]),
        _ => Err(policy.problem(format!("the policy `{text}` is not known to the local cloud"))),
    }
}

/// `AWSLambdaSQSQueueExecutionRole`, which SAM attaches for an event of type `SQS`.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaSQSQueueExecutionRole.html>
pub(in crate::template) fn queue_execution_role() -> Statement {
    let actions = [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
    ];
    allow(&actions, vec!["*".to_owned()])
}

/// A statement that allows these actions on these resources.
pub(in crate::template) fn allow(actions: &[&str], resources: Vec<String>) -> Statement {
    Statement {
        effect: Effect::Allow,
        actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        not_actions: Vec::new(),
        resources,
        not_resources: Vec::new(),
    }
}
