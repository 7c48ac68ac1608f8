//! What a deployed stack says of itself: by the outputs of its template it names its API and its functions, on AWS and
//! here (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>).

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use aws_sdk_cloudformation::types::{Stack as Description, StackStatus};

use crate::aws::{Aws, readable};
use crate::variant::Variant;

/// The functions of a deployment, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Functions {
    /// The one that serves the API, if one does.
    pub api: Option<String>,
    /// The one that runs the tasks, if one does; it may be the same.
    pub worker: Option<String>,
}

impl Functions {
    /// Each of them once.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        let worker = self.worker.iter().filter(|_| !self.are_one());
        self.api.iter().chain(worker).map(String::as_str)
    }

    /// Whether the worker's function serves the API too.
    pub fn are_one(&self) -> bool {
        self.worker == self.api
    }
}

/// A stack that is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Where its HTTP API answers.
    pub api_url: String,
    /// Its functions.
    pub functions: Functions,
}

impl Stack {
    /// The stack of this name, which is to be one of this variant; `None` where there is none of this name.
    ///
    /// # Errors
    /// Fails when CloudFormation does not answer, the stack is not in order, or lacks an output.
    pub async fn find(aws: &Aws, name: &str, variant: Variant) -> Result<Option<Self>> {
        let request = Client::new(aws.config()).describe_stacks().stack_name(name);
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if says_that_it_does_not_exist(&error) => return Ok(None),
            Err(error) => {
                return Err(readable(error)).with_context(|| format!("cannot look for the stack {name}"));
            }
        };
        let stack = answer.stacks().first();
        let stack = stack.with_context(|| format!("CloudFormation says nothing of the stack {name}"))?;
        read(stack, variant)
            .map(Some)
            .with_context(|| format!("stack {name}"))
    }
}

/// CloudFormation has no error of its own for it.
fn says_that_it_does_not_exist(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("ValidationError")
        && error
            .message()
            .is_some_and(|message| message.contains("does not exist"))
}

fn read(stack: &Description, variant: Variant) -> Result<Stack> {
    match stack.stack_status() {
        Some(
            StackStatus::CreateComplete
            | StackStatus::ImportComplete
            | StackStatus::UpdateComplete
            | StackStatus::UpdateRollbackComplete,
        ) => {}
        status => bail!(
            "it is in the state {}",
            status.map_or("unknown", StackStatus::as_str)
        ),
    }
    let output = |key: &str| {
        let mut outputs = stack.outputs().iter();
        let output = outputs.find(|output| output.output_key() == Some(key))?;
        output.output_value().map(str::to_owned)
    };
    let functions = Functions {
        api: output("ApiFunction"),
        worker: output("WorkerFunction"),
    };
    let is_missing = [
        (
            "ApiFunction",
            functions.api.is_none() && variant.has_api_function(),
        ),
        (
            "WorkerFunction",
            functions.worker.is_none() && variant.has_worker(),
        ),
    ];
    for (key, is_missing) in is_missing {
        ensure!(!is_missing, "it has no output {key}: it is no {variant}");
    }
    Ok(Stack {
        api_url: output("ApiUrl").context("it has no output ApiUrl")?,
        functions,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::types::Output;

    use super::*;

    fn stack(status: StackStatus, outputs: &[(&str, &str)]) -> Description {
        let outputs = outputs
            .iter()
            .map(|(key, value)| Output::builder().output_key(*key).output_value(*value).build());
        Description::builder()
            .stack_name("s")
            .creation_time(std::time::SystemTime::UNIX_EPOCH.into())
            .stack_status(status)
            .set_outputs(Some(outputs.collect()))
            .build()
    }

    const ALL: [(&str, &str); 3] = [
        ("ApiUrl", "https://api"),
        ("ApiFunction", "s-Api-1"),
        ("WorkerFunction", "s-Worker-2"),
    ];

    #[test]
    fn a_stack_names_its_api_and_its_functions() {
        let read = read(&stack(StackStatus::UpdateComplete, &ALL), Variant::SplitLambda).unwrap();
        assert_eq!(read.api_url, "https://api");
        assert_eq!(
            read.functions.all().collect::<Vec<_>>(),
            ["s-Api-1", "s-Worker-2"]
        );
        assert!(!read.functions.are_one());
    }

    #[test]
    fn a_function_that_plays_both_parts_is_one() {
        let outputs = [("ApiUrl", "u"), ("ApiFunction", "f"), ("WorkerFunction", "f")];
        let functions = read(&stack(StackStatus::CreateComplete, &outputs), Variant::SelfInvoke)
            .unwrap()
            .functions;
        assert_eq!(functions.all().collect::<Vec<_>>(), ["f"]);
        assert!(functions.are_one());
    }

    #[test]
    fn what_is_missing_or_out_of_order_is_named() {
        let error = |status, outputs: &[_], variant| {
            let error = read(&stack(status, outputs), variant).unwrap_err();
            error.to_string()
        };
        for (name, _) in ALL {
            let others: Vec<_> = ALL.into_iter().filter(|(key, _)| *key != name).collect();
            let error = error(StackStatus::CreateComplete, &others, Variant::SqsWorker);
            assert!(error.contains(name), "{error}");
        }
        assert!(read(&stack(StackStatus::CreateComplete, &ALL[..2]), Variant::Noop).is_ok());
        let error = error(StackStatus::RollbackComplete, &ALL, Variant::SqsWorker);
        assert!(error.contains("ROLLBACK_COMPLETE"), "{error}");
    }
}
