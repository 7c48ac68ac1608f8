//! The local cloud: one process that reads a SAM template and runs what it declares, speaking AWS's own protocols.
//!
//! It is cut along AWS's own parts. [`template`] reads the template. [`lambda`] is the Lambda service: execution
//! environments that are real processes, the Runtime API that they poll, the asynchronous queue, the event source
//! mappings, the API. [`sqs`] is SQS, [`dynamodb`] an embedded DynamoDB, [`gateway`] an HTTP API; [`cloudformation`] and
//! [`logs`] tell what is deployed and what it printed. [`endpoint`] is the one address at which AWS SDKs and the AWS CLI
//! find all of it, with [`tls`] if it is asked for; [`iam`] decides who may do what there. [`ecs`] keeps a container running, to compare with, and
//! [`load_balancer`] stands before it. [`cloud`] puts them together; [`up`] is the command around it, and [`chaos`] lets
//! things go wrong if it is asked to. [`builder`] builds the functions as SAM would, and [`process`] starts their
//! processes and sees to it that none is left behind. [`deploy`] takes the same templates to AWS.
//!
//! It knows templates and protocols, never a variant's code, and the functions cannot tell it from AWS but by the
//! limits that ARCHITECTURE.md lists.

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
pub mod sqs;
pub mod template;
pub mod tls;
pub mod up;
mod variant;
