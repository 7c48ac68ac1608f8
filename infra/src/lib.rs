//! The local cloud: one process that reads a SAM template and runs what it declares, speaking AWS's own protocols.
//!
//! It is cut along AWS's own parts. [`template`] reads the template. [`lambda`] is the Lambda service: execution
//! environments that are real processes, the Runtime API that they poll, the asynchronous queue, the event source
//! mappings, the API. [`sqs`] is SQS, [`dynamodb`] an embedded DynamoDB, [`gateway`] an HTTP API; [`cloudformation`] and
//! [`logs`] tell what is deployed and what it printed. [`endpoint`] is the one address at which AWS SDKs and the AWS CLI
//! find all of it, with [`tls`] if it is asked for; [`iam`] decides who may do what there. [`ecs`] keeps a container
//! running, to compare with, and [`load_balancer`] stands before it. [`cloud`] puts them together; [`up`] is the command
//! around it, and [`chaos`] lets things go wrong if it is asked to. [`builder`] builds the functions as SAM would, and [`process`] starts their
//! processes and sees to it that none is left behind. [`deploy`] takes the same templates to AWS.
//!
//! It knows templates and protocols, never a variant's code, and the functions cannot tell it from AWS but by the
//! limits that ARCHITECTURE.md lists.
//!
//! What a template declares can be read without running it:
//!
//! ```
//! use infra::template::{self, Settings};
//!
//! let settings = Settings {
//!     region: "us-east-1".into(),
//!     account_id: "123456789012".into(),
//!     endpoint_url: "http://127.0.0.1:4566".into(),
//!     api_url: "http://127.0.0.1:8080".into(),
//!     stack_name: "split-lambda".into(),
//!     parameters: [("WorkerMemory".into(), "512".into())].into(),
//! };
//! # let directory = env!("CARGO_MANIFEST_DIR");
//! let stack = template::load(format!("{directory}/split-lambda.yaml").as_ref(), &settings)?;
//! let names: Vec<&str> = stack.functions.iter().map(|function| function.name.as_str()).collect();
//! assert_eq!(names, ["ApiFunction", "WorkerFunction"]);
//! # Ok::<_, template::TemplateError>(())
//! ```
//!
//! and run, as the command `infra up` does:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use infra::{
//!     chaos::Chaos,
//!     cloud::{Cloud, Options},
//!     process::limits::Enforcement,
//! };
//!
//! # async fn run() -> anyhow::Result<()> {
//! let mut cloud = Cloud::start(Options {
//!     template: "infra/split-lambda.yaml".into(),
//!     parameters: Vec::new(),
//!     cargo_profile: "release".into(),
//!     api_port: 8080,
//!     cloud_port: 0,
//!     tls: false,
//!     time_scale: 1.0,
//!     idle_timeout: Duration::from_secs(600),
//!     logs: None,
//!     limits: Enforcement::default(),
//!     chaos: Chaos::default(),
//! })
//! .await?;
//! println!("{:?}", cloud.description.api_url);
//! cloud.failed().await // Everything ends with the runtime.
//! # }
//! ```

#![warn(clippy::print_stderr)]

pub mod builder;
pub mod chaos;
pub mod clock;
pub mod cloud;
pub mod cloudformation;
pub mod deploy;
pub mod dynamodb;
pub mod ecs;
pub mod endpoint;
pub mod gateway;
pub mod iam;
pub mod lambda;
pub mod load_balancer;
pub mod logs;
pub mod process;
mod say;
pub mod sqs;
pub mod template;
pub mod tls;
pub mod up;
mod variant;
mod xml;
