//! The local cloud as a whole: from a template to services that answer.

mod listeners;
mod parts;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use serde::Serialize;
use tokio::task::JoinSet;

use self::listeners::Listeners;
use crate::{
    builder,
    chaos::Chaos,
    cloudformation::CloudFormation,
    dynamodb,
    endpoint::{self, Endpoint},
    gateway,
    iam::{self, Account, Credentials, Iam},
    lambda::Lambda,
    process::{
        Host,
        limits::{Enforcement, Limits},
    },
    template::{self, Stack},
    tls::Tls,
};

/// The Region and the account of the local cloud.
const REGION: &str = "us-east-1";
const ACCOUNT_ID: &str = "123456789012";

/// The user whose keys are printed.
const USER: &str = "local";

/// What is to be run, and how.
#[derive(Debug)]
pub struct Options {
    /// The template.
    pub template: PathBuf,
    /// Values of its parameters.
    pub parameters: Vec<(String, String)>,
    /// The Cargo profile with which functions are built.
    pub cargo_profile: String,
    /// The port of the HTTP API; any free one where it is 0.
    pub api_port: u16,
    /// The port of the AWS endpoint; any free one where it is 0.
    pub cloud_port: u16,
    /// Whether the AWS endpoint is served over TLS.
    pub tls: bool,
    /// How much faster the platform's own delays pass.
    pub time_scale: f64,
    /// How long an execution environment may be idle, in the platform's time.
    pub idle_timeout: Duration,
    /// The folder for the functions' log files, if they are wanted.
    pub logs: Option<PathBuf>,
    /// Which limits of functions are enforced.
    pub limits: Enforcement,
    /// What goes wrong on purpose.
    pub chaos: Chaos,
}

/// The services, running. They end when it is dropped; what they have under way, and every process, with the Tokio runtime.
#[derive(Debug)]
pub struct Cloud {
    /// How to reach them.
    pub description: Description,
    services: JoinSet<anyhow::Result<()>>,
    _tls: Option<Tls>,
}

/// How to reach a local cloud: what `up --json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// The base URL of the HTTP API, or of the load balancer, where the template has one.
    pub api_url: Option<String>,
    /// What AWS SDKs take as the endpoint URL.
    pub endpoint_url: String,
    /// The file with the certificate authority to trust there, where the endpoint is served over TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<PathBuf>,
    /// The Region to sign for.
    pub region: String,
    /// Keys to sign with.
    pub access_key_id: String,
    /// Keys to sign with.
    pub secret_access_key: String,
    /// The functions' names.
    pub functions: Vec<String>,
    /// The queues' names.
    pub queues: Vec<String>,
    /// The tables' names.
    pub tables: Vec<String>,
}

impl Cloud {
    /// Reads the template, builds the functions, and starts everything. When it returns, the services answer.
    ///
    /// # Errors
    ///
    /// The template cannot be run, a function does not build, or a port is taken.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let listeners = Listeners::bind(&options).await?;
        let stack_name = stack_name(&options.template);
        let stack = load(&options, &listeners, &stack_name)?;
        let account = Account {
            id: ACCOUNT_ID.to_owned(),
            region: REGION.to_owned(),
        };
        iam::execution_role::check(&stack, &account)?;
        let mut iam = Iam::new(account.clone());
        // The reaper is this program once more, which may be replaced while the functions are built.
        let host = Host::start(Limits::prepare(options.limits)).context("cannot start the reaper")?;
        let mut executables = builder::executables(&stack, &options.cargo_profile, &host).await?;
        let description = describe(&stack, &listeners, iam.add_user(USER));
        let mut services = JoinSet::new();

        let database = dynamodb::with_tables(&stack.tables)?;
        let sqs = parts::sqs_with_queues(&stack, &listeners)?;
        let service = parts::service(
            &stack,
            &mut executables,
            &listeners,
            &host,
            &mut iam,
            &options.chaos,
        )?;
        let platform = parts::platform(&stack, host, &options);
        let functions = parts::functions(&stack, executables, &listeners, &platform, &mut iam)?;
        let lambda = Lambda::new(functions, sqs.clone(), parts::lambda_configuration(&options));
        for mapping in parts::event_source_mappings(&stack, &sqs, &lambda)? {
            services.spawn(async {
                mapping.run().await;
                Ok(())
            });
        }
        let iam = Arc::new(iam);
        let endpoint = Endpoint {
            iam: Arc::clone(&iam),
            cloudformation: CloudFormation::new(&account, &stack_name, options.parameters, stack.outputs),
            lambda: lambda.clone(),
            sqs: sqs.clone(),
            chaos: options.chaos,
            dynamodb: dynamodb::Client::new(listeners.dynamodb.local_addr()?, &account),
        };
        let Listeners {
            api,
            cloud,
            dynamodb,
            tls,
            ..
        } = listeners;
        services.spawn(async {
            dynamodb::serve(dynamodb, database)
                .await
                .context("DynamoDB failed")
        });
        let acceptor = tls.as_ref().map(Tls::acceptor);
        services.spawn(async { match endpoint::serve(cloud, acceptor, endpoint).await {} });
        if let Some(declared) = stack.api {
            services.spawn(async {
                gateway::serve(api, declared, account, gateway::Services { lambda, sqs }, iam)
                    .await
                    .context("the HTTP API failed")
            });
        } else if let (Some(service), Some(declared)) = (service, stack.container_service) {
            parts::start_service(service, &declared, api, &mut services).await?;
        }
        Ok(Self {
            description,
            services,
            _tls: tls,
        })
    }

    /// Returns when a service ends, which none does of itself.
    ///
    /// # Errors
    ///
    /// What made it end.
    pub async fn failed(&mut self) -> anyhow::Result<()> {
        while let Some(ended) = self.services.join_next().await {
            ended.context("a service of the local cloud panicked")??;
        }
        Ok(())
    }
}

/// What the stack is called: as its template's file, without the extension.
fn stack_name(template: &Path) -> String {
    template
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn load(options: &Options, listeners: &Listeners, stack_name: &str) -> anyhow::Result<Stack> {
    let settings = template::Settings {
        region: REGION.to_owned(),
        account_id: ACCOUNT_ID.to_owned(),
        endpoint_url: listeners.endpoint_url.clone(),
        api_url: listeners.api_url.clone(),
        stack_name: stack_name.to_owned(),
        parameters: options.parameters.iter().cloned().collect(),
    };
    Ok(template::load(&options.template, &settings)?)
}

fn describe(stack: &Stack, listeners: &Listeners, keys: Credentials) -> Description {
    Description {
        api_url: (stack.api.is_some() || stack.container_service.is_some())
            .then(|| listeners.api_url.clone()),
        endpoint_url: listeners.endpoint_url.clone(),
        ca_certificate: listeners.tls.as_ref().map(|tls| tls.authority().to_owned()),
        region: REGION.to_owned(),
        access_key_id: keys.access_key_id,
        secret_access_key: keys.secret_access_key,
        functions: stack
            .functions
            .iter()
            .map(|function| function.name.clone())
            .collect(),
        queues: stack.queues.iter().map(|queue| queue.name.clone()).collect(),
        tables: stack.tables.iter().map(|table| table.name.clone()).collect(),
    }
}
