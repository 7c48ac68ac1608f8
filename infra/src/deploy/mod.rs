//! `infra deploy`, `outputs`, `logs`, `destroy`: the variants on AWS, by SAM's command line and cargo-lambda. What they do
//! is what `sam build`, `sam deploy` and so on do with the `samconfig.toml` of this workspace; they add that the tools are
//! checked, that what is created and what it costs idle is said before, and that it ends with a request to try.

mod plan;
mod prices;
mod sam;
mod tools;

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;

use self::{
    plan::Plan,
    prices::Prices,
    sam::{Output, Sam},
    tools::{CARGO_LAMBDA, SAM},
};
use crate::{
    template::{self, Settings},
    variant::{key_and_value, template_path},
};

/// Which stack.
#[derive(Debug, clap::Args)]
pub struct Stack {
    /// A variant (self-invoke, sqs-worker, split-lambda)
    variant: String,
    /// The name of the stack [default: lambda-offload-VARIANT]
    #[arg(long = "stack-name", value_name = "NAME")]
    name: Option<String>,
    /// The Region [default: as AWS's tools are configured]
    #[arg(long)]
    region: Option<String>,
    /// The profile of AWS's tools
    #[arg(long)]
    profile: Option<String>,
}

impl Stack {
    fn sam(&self) -> Sam {
        // Of a template that is given by its path, the name alone may stand in a stack's name.
        let variant = Path::new(&self.variant).file_stem().unwrap_or_default();
        let default = || format!("lambda-offload-{}", variant.display());
        Sam {
            stack_name: self.name.clone().unwrap_or_else(default),
            region: self.region.clone(),
            profile: self.profile.clone(),
        }
    }
}

/// The command line of `infra deploy`.
#[derive(Debug, clap::Args)]
pub struct Deploy {
    #[command(flatten)]
    stack: Stack,
    /// Instruction set of the functions
    #[arg(long, value_parser = ["arm64", "x86_64"], default_value = "arm64")]
    arch: String,
    /// Set a parameter of the template
    #[arg(long = "parameter", value_name = "KEY=VALUE", value_parser = key_and_value)]
    parameters: Vec<(String, String)>,
    /// Let SAM ask for everything
    #[arg(long)]
    guided: bool,
}

/// The command line of `infra outputs`.
#[derive(Debug, clap::Args)]
pub struct Outputs {
    #[command(flatten)]
    stack: Stack,
}

/// The command line of `infra logs`.
#[derive(Debug, clap::Args)]
pub struct Logs {
    #[command(flatten)]
    stack: Stack,
    /// Go on with what is logged from now on
    #[arg(long)]
    tail: bool,
}

/// The command line of `infra destroy`.
#[derive(Debug, clap::Args)]
pub struct Destroy {
    #[command(flatten)]
    stack: Stack,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Deploy {
    /// Builds the functions, creates or updates the stack, and says what to try.
    ///
    /// # Errors
    ///
    /// A tool is missing, the template cannot be read, or SAM failed.
    pub fn run(self) -> anyhow::Result<()> {
        let mut parameters = self.parameters;
        parameters.insert(0, ("Architecture".to_owned(), self.arch));
        let template = template_path(&self.stack.variant)?;
        let sam = self.stack.sam();
        let resources = template::resources(&template, &settings(&sam, &parameters))?;
        let plan = Plan::of(resources, &Prices::load()?)?;
        println!("{}, of {}:\n\n{plan}", sam.stack_name, template.display());
        // Only now: what a variant costs can be asked without them.
        SAM.check()?;
        CARGO_LAMBDA.check()?;
        let built = sam.build(&template, &parameters)?;
        sam.deploy(&built, &parameters, self.guided)?;
        let outputs = sam.outputs()?;
        let url = api_url(&outputs).with_context(|| format!("{} has no output ApiUrl", sam.stack_name))?;
        let authorizer = parameters.iter().rfind(|(key, _)| key == "Authorizer");
        let authorizer = authorizer.map_or("NONE", |(_, value)| value);
        println!("\nHTTP API  {url}\n\n{}", request_to_try(url, authorizer));
        Ok(())
    }
}

impl Outputs {
    /// Prints the outputs of the stack.
    ///
    /// # Errors
    ///
    /// SAM is missing, or there is no such stack.
    pub fn run(self) -> anyhow::Result<()> {
        SAM.check()?;
        for Output {
            output_key,
            output_value,
        } in self.stack.sam().outputs()?
        {
            println!("{output_key:<15} {output_value}");
        }
        Ok(())
    }
}

impl Logs {
    /// Prints what the functions of the stack have logged.
    ///
    /// # Errors
    ///
    /// SAM is missing, or it failed.
    pub fn run(self) -> anyhow::Result<()> {
        SAM.check()?;
        self.stack.sam().logs(self.tail)
    }
}

impl Destroy {
    /// Deletes the stack.
    ///
    /// # Errors
    ///
    /// SAM is missing, or it failed.
    pub fn run(self) -> anyhow::Result<()> {
        SAM.check()?;
        self.stack.sam().delete(self.yes)
    }
}

/// What the template's conditions are judged by. Where the stack will be does not matter to them.
fn settings(sam: &Sam, parameters: &[(String, String)]) -> Settings {
    Settings {
        region: sam.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
        account_id: "123456789012".to_owned(),
        endpoint_url: String::new(),
        api_url: String::new(),
        stack_name: sam.stack_name.clone(),
        parameters: parameters.iter().cloned().collect::<BTreeMap<_, _>>(),
    }
}

fn api_url(outputs: &[Output]) -> Option<&str> {
    let output = outputs.iter().find(|output| output.output_key == "ApiUrl")?;
    Some(&output.output_value)
}

/// A request with which a client may begin, by the template's parameter `Authorizer`.
fn request_to_try(url: &str, authorizer: &str) -> String {
    let credentials = match authorizer {
        "AWS_IAM" => {
            // As in https://API.execute-api.REGION.amazonaws.com.
            let region = url.split('.').nth(2).unwrap_or("us-east-1");
            format!(
                " --aws-sigv4 aws:amz:{region}:execute-api --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" \
                 -H \"x-amz-security-token: $AWS_SESSION_TOKEN\""
            )
        }
        "JWT" => " -H \"authorization: Bearer $TOKEN\"".to_owned(),
        _ => String::new(),
    };
    format!(
        "curl -i {url}/tasks{credentials} -H 'content-type: application/json' \
         -d '{{\"kind\":\"sleep\",\"millis\":45000}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_to_try_is_one_that_the_authorizer_lets_in() {
        let url = "https://a1.execute-api.eu-west-1.amazonaws.com";
        let open = request_to_try(url, "NONE");
        assert_eq!(
            open,
            format!(
                "curl -i {url}/tasks -H 'content-type: application/json' -d '{{\"kind\":\"sleep\",\"millis\":45000}}'"
            )
        );
        assert!(request_to_try(url, "AWS_IAM").contains("--aws-sigv4 aws:amz:eu-west-1:execute-api --user"));
        assert!(request_to_try(url, "JWT").contains("Bearer $TOKEN"));
    }
}
