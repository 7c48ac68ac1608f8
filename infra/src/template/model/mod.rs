//! What a template declares once everything in it is resolved: plain data for the parts of the local cloud that
//! run it. Nothing here knows YAML, parameters or intrinsic functions.

mod http_api;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use http_api::{
    CorsConfiguration, HttpApi, Method, ResponseParameter, Route, SendMessage, Target, Throttling,
    ThrottlingSettings,
};

/// Everything that one template declares.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// The Lambda functions, in the order of the template.
    pub functions: Vec<Function>,
    /// The SQS queues, in the order of the template.
    pub queues: Vec<Queue>,
    /// The DynamoDB tables, in the order of the template.
    pub tables: Vec<Table>,
    /// The event source mappings: resources of their own, and the SQS events of functions.
    pub event_source_mappings: Vec<EventSourceMapping>,
    /// The HTTP API, explicit or the `ServerlessHttpApi` that SAM makes for events without an `ApiId`.
    pub api: Option<HttpApi>,
    /// The service of containers, which takes the place of an API.
    pub container_service: Option<ContainerService>,
    /// The outputs, in the order of the template.
    pub outputs: Vec<Output>,
}

/// A resource that a template creates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its name in the template, or the one that SAM gives it.
    pub logical_id: String,
    /// As in `AWS::SQS::Queue`.
    pub resource_type: String,
}

/// A Lambda function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// `FunctionName`, or the logical id.
    pub name: String,
    /// The unqualified ARN.
    pub arn: String,
    /// Where its executable comes from.
    pub code: Code,
    /// What the function finds in `_HANDLER`.
    pub handler: String,
    /// An OS-only runtime, such as `provided.al2023`.
    pub runtime: String,
    /// Memory in MB, 128 to 10,240.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
    pub memory_size: u32,
    /// How long one invocation may take, 1 to 900 seconds.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>
    pub timeout: Duration,
    /// The environment variables that the template sets.
    pub environment: BTreeMap<String, String>,
    /// The concurrency that is reserved for the function, and at the same time its limit.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>
    pub reserved_concurrent_executions: Option<u32>,
    /// What becomes of asynchronous invocations.
    pub asynchronous: AsynchronousConfiguration,
    /// ARN of the queue that gets the events which the asynchronous queue gives up on.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
    pub dead_letter_target: Option<String>,
    /// Whether Lambda stops the function when it takes part in a loop.
    pub recursive_loop: RecursiveLoop,
    /// The name of its role: of the one that it names, or of the one that SAM makes for it.
    pub role_name: String,
    /// What the function's role allows and denies.
    pub statements: Vec<Statement>,
}

/// Where the executable of a function comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// A binary of a Cargo workspace: `Metadata: BuildMethod: rust-cargolambda` with `BuildProperties: Binary:`.
    CargoBinary {
        /// The folder of the workspace or package, absolute.
        directory: PathBuf,
        /// The name of the binary.
        binary: String,
    },
    /// A folder that holds an executable file `bootstrap`, in any language.
    Bootstrap {
        /// The folder, absolute.
        directory: PathBuf,
    },
}

/// How Lambda treats a function's asynchronous invocations.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsynchronousConfiguration {
    /// Retries after a function error, 0 to 2.
    pub maximum_retry_attempts: u8,
    /// How long an event may wait, 60 seconds to 6 hours.
    pub maximum_event_age: Duration,
    /// ARN of the queue or function that gets a record of each success.
    pub on_success: Option<String>,
    /// ARN of the queue or function that gets a record of each event given up on.
    pub on_failure: Option<String>,
}

impl Default for AsynchronousConfiguration {
    /// What Lambda does where nothing is configured: two retries, six hours, no destination.
    fn default() -> Self {
        Self {
            maximum_retry_attempts: 2,
            maximum_event_age: Duration::from_hours(6),
            on_success: None,
            on_failure: None,
        }
    }
}

/// What Lambda does with a function that it finds in a loop.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RecursiveLoop {
    /// It stops the loop.
    #[default]
    Terminate,
    /// It lets the loop go on.
    Allow,
}

/// A statement of the identity policies of a role. Actions and resources may hold the wildcards `*` and `?`.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// The actions it is about; empty where `not_actions` says it.
    pub actions: Vec<String>,
    /// It is about all actions but these.
    pub not_actions: Vec<String>,
    /// The ARNs it is about; empty where `not_resources` says it.
    pub resources: Vec<String>,
    /// It is about all resources but these ARNs.
    pub not_resources: Vec<String>,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, and that outweighs every statement that allows.
    Deny,
}

/// A standard SQS queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// `QueueName`, or the logical id.
    pub name: String,
    /// The queue's ARN.
    pub arn: String,
    /// The queue's URL at the local cloud's endpoint.
    pub url: String,
    /// The attributes that the template sets, as `CreateQueue` takes them; `RedrivePolicy` is JSON text.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>
    pub attributes: BTreeMap<String, String>,
}

/// A DynamoDB table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// `TableName`, or the logical id.
    pub name: String,
    /// The `CreateTable` request.
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html>
    pub create_table: serde_json::Value,
    /// The attribute that says when an item expires, where time to live is enabled.
    pub time_to_live_attribute: Option<String>,
}

/// What makes Lambda read a queue and invoke a function with its messages.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSourceMapping {
    /// The name of the resource in the template, given or made by SAM: function and event.
    pub logical_id: String,
    /// ARN of the queue.
    pub event_source_arn: String,
    /// Name of the function.
    pub function_name: String,
    /// Most messages in one invocation.
    pub batch_size: u32,
    /// How long a batch is gathered; zero for not at all.
    pub maximum_batching_window: Duration,
    /// Most invocations at the same time.
    pub maximum_concurrency: Option<u32>,
    /// Whether the function's response names the messages that failed.
    pub report_batch_item_failures: bool,
    /// Whether it runs.
    pub enabled: bool,
}

/// A service of ECS on Fargate: one container that always runs, behind an Application Load Balancer.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerService {
    /// The name of the service in the template.
    pub logical_id: String,
    /// What the container's image holds.
    pub code: Code,
    /// The memory of the task, in MB.
    pub memory_size: u32,
    /// The environment variables that the template sets.
    pub environment: BTreeMap<String, String>,
    /// The name of the role of the task.
    pub role_name: String,
    /// What that role allows and denies.
    pub statements: Vec<Statement>,
    /// What stands before it.
    pub load_balancer: LoadBalancer,
}

/// An Application Load Balancer that forwards everything to one target group.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// How long a connection may be idle: 1 to 4,000 seconds, 60 by default.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
    pub idle_timeout: Duration,
    /// The path at which a target has to answer with 200.
    pub health_check_path: String,
}

/// An output of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The name of the output in the template.
    pub key: String,
    /// What it says about itself.
    pub description: Option<String>,
    /// The resolved value.
    pub value: String,
}
