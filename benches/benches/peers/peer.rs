//! What is compared: how each program is started, and what it can do.

use anyhow::{Context, Result};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use benches::aws::Aws;
use benches::deployment::Endpoints;
use benches::lambda::Lambda;
use benches::target::Target;
use benches::workspace;

use crate::program::{Environment, Program};

const BINARY: &str = "baseline-noop";

/// One of the programs, running.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) aws: Aws,
    /// The function that does nothing, if it runs functions.
    pub(crate) function: Option<String>,
    pub(crate) has_queues: bool,
    pub(crate) cold: Cold,
    _program: Option<Program>,
}

/// How the next invocation becomes a cold one.
pub(crate) enum Cold {
    /// As on AWS, by an update of the function's configuration.
    ByUpdate(Lambda, String),
    /// The program is started anew.
    ByRestart(Program),
    /// There are no functions.
    Never,
}

impl Peer {
    /// Our own.
    pub(crate) fn local_cloud(target: &Target) -> Result<Self> {
        let function = target.accepting_function().context("noop has a function")?;
        Ok(Self {
            name: "local-cloud",
            aws: target.aws.clone(),
            function: Some(function.to_owned()),
            has_queues: true,
            cold: Cold::ByUpdate(target.lambda.clone(), function.to_owned()),
            _program: None,
        })
    }

    /// The others, installed and started.
    pub(crate) async fn others() -> Result<Vec<Self>> {
        let environment = Environment::install()?;
        Ok(vec![
            Self::ministack(&environment).await.context("MiniStack")?,
            Self::cargo_lambda(&environment).await.context("cargo-lambda")?,
            Self::moto(&environment).await.context("moto")?,
        ])
    }

    async fn ministack(environment: &Environment) -> Result<Self> {
        let program = environment.program("ministack", &[], |port| {
            (Vec::new(), vec![("GATEWAY_PORT", port.to_string())])
        })?;
        program.restart().await?;
        let aws = aws_at(&program)?;
        let package =
            environment.zip_as_bootstrap(&workspace::target_directory()?.join("release").join(BINARY))?;
        let create = Client::new(aws.config()).create_function().function_name(BINARY);
        create
            .runtime(Runtime::Providedal2023)
            .handler("bootstrap")
            .role("arn:aws:iam::000000000000:role/function")
            .code(FunctionCode::builder().zip_file(Blob::new(package)).build())
            .send()
            .await?;
        Ok(Self {
            name: "ministack",
            function: Some(BINARY.to_owned()),
            has_queues: true,
            cold: Cold::ByUpdate(Lambda::new(&aws), BINARY.to_owned()),
            aws,
            _program: Some(program),
        })
    }

    /// It builds by itself what is there already: it asks Cargo for the same.
    async fn cargo_lambda(environment: &Environment) -> Result<Self> {
        let arguments = [
            "lambda",
            "watch",
            "--release",
            "--ignore-changes",
            "--package",
            "baselines",
        ];
        let program = environment.program("cargo-lambda", &arguments, |port| {
            (vec!["--invoke-port".to_owned(), port.to_string()], Vec::new())
        })?;
        program.restart().await?;
        Ok(Self {
            name: "cargo-lambda-watch",
            aws: aws_at(&program)?,
            function: Some(BINARY.to_owned()),
            has_queues: false,
            cold: Cold::ByRestart(program),
            _program: None,
        })
    }

    async fn moto(environment: &Environment) -> Result<Self> {
        let program = environment.program("moto_server", &["-H", "127.0.0.1"], |port| {
            (vec!["-p".to_owned(), port.to_string()], Vec::new())
        })?;
        program.restart().await?;
        Ok(Self {
            name: "moto-server",
            aws: aws_at(&program)?,
            function: None,
            has_queues: true,
            cold: Cold::Never,
            _program: Some(program),
        })
    }
}

fn aws_at(program: &Program) -> Result<Aws> {
    Aws::at(&Endpoints {
        api_url: program.url.clone(),
        endpoint_url: program.url.clone(),
        ca_certificate: None,
        region: "us-east-1".into(),
        access_key_id: "key".into(),
        secret_access_key: "secret".into(),
    })
}
