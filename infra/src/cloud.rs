//! The local cloud as a whole: from a template to services that answer.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use serde::Serialize;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    builder,
    chaos::Chaos,
    clock::Clock,
    cloudformation::CloudFormation,
    dynamodb, ecs,
    endpoint::{self, Endpoint},
    gateway,
    iam::{self, Account, Credentials, Iam},
    lambda::{
        self, ACCOUNT_CONCURRENCY, Lambda,
        event_source_mapping::EventSourceMapping,
        function::{Function, Platform},
        settings::Settings,
    },
    load_balancer,
    process::{
        Host,
        limits::{Enforcement, Limits},
    },
    sqs::{QueueAttributes, Sqs},
    template::{self, Stack},
    tls::Tls,
};

/// The Region and the account of the local cloud.
const REGION: &str = "us-east-1";
const ACCOUNT_ID: &str = "123456789012";

/// How long the first task of a service may take to become healthy.
const FIRST_HEALTH_CHECK: Duration = Duration::from_secs(60);

/// The variables by which SDKs find the AWS endpoint
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
const ENDPOINTS: [&str; 3] = [
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_SQS",
    "AWS_ENDPOINT_URL_DYNAMODB",
];

/// The variable that names the file of certificate authorities to trust
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>).
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// The user whose keys are printed.
const USER: &str = "local";

/// What is to be run, and how.
#[derive(Debug)]
pub struct Options {
    /// The template.
    pub template: PathBuf,
    /// Values of its parameters.
    pub parameters: Vec<(String, String)>,
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

/// The services, running; they and every process end when it is dropped.
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
        let mut executables = tokio::task::block_in_place(|| builder::executables(&stack))?;
        let description = describe(&stack, &listeners, iam.add_user(USER));
        let mut services = JoinSet::new();

        let database = dynamodb::with_tables(&stack.tables)?;
        let sqs = sqs_with_queues(&stack, &listeners)?;
        let service = service(
            &stack,
            &mut executables,
            &listeners,
            &host,
            &mut iam,
            &options.chaos,
        )?;
        let platform = platform(&stack, host, &options);
        let functions = functions(&stack, executables, &listeners, &platform, &mut iam)?;
        let lambda = Lambda::new(functions, sqs.clone(), lambda_configuration(&options));
        for mapping in event_source_mappings(&stack, &sqs, &lambda)? {
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
            start_service(service, &declared, api, &mut services).await?;
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

/// The sockets, bound before the template is read, because it refers to their addresses.
struct Listeners {
    api: TcpListener,
    cloud: TcpListener,
    dynamodb: TcpListener,
    tls: Option<Tls>,
    api_url: String,
    endpoint_url: String,
}

impl Listeners {
    async fn bind(options: &Options) -> anyhow::Result<Self> {
        let (api, api_address) = bind(options.api_port, "--api-port").await?;
        let (cloud, cloud_address) = bind(options.cloud_port, "--cloud-port").await?;
        let (dynamodb, _) = bind(0, "DynamoDB").await?;
        let tls = options.tls.then(Tls::new).transpose()?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        Ok(Self {
            api,
            cloud,
            dynamodb,
            tls,
            api_url: format!("http://{api_address}"),
            endpoint_url: format!("{scheme}://{cloud_address}"),
        })
    }

    /// The variables by which SDKs reach the AWS endpoint.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let endpoints = ENDPOINTS.map(|name| (name, self.endpoint_url.clone()));
        let authority = self.tls.as_ref().map(|tls| tls.authority().display().to_string());
        endpoints
            .into_iter()
            .chain(authority.map(|path| (CA_BUNDLE, path)))
            .collect()
    }
}

async fn bind(port: u16, what: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("{what}: cannot listen on port {port}"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
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

fn sqs_with_queues(stack: &Stack, listeners: &Listeners) -> anyhow::Result<Sqs> {
    let sqs = Sqs::new(REGION, ACCOUNT_ID, &listeners.endpoint_url);
    // A queue that others name as their dead-letter queue has to be there first.
    let mut queues: Vec<_> = stack.queues.iter().collect();
    queues.sort_by_key(|queue| queue.attributes.contains_key("RedrivePolicy"));
    for queue in queues {
        let attributes = queue
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        QueueAttributes::parse(attributes)
            .and_then(|attributes| sqs.create_queue(&queue.name, attributes))
            .with_context(|| format!("queue {}", queue.logical_id))?;
    }
    Ok(sqs)
}

/// What functions share.
fn platform(stack: &Stack, host: Host, options: &Options) -> Platform {
    let reserved: u32 = stack
        .functions
        .iter()
        .filter_map(|function| function.reserved_concurrent_executions)
        .sum();
    // The template leaves some.
    let unreserved = ACCOUNT_CONCURRENCY.saturating_sub(reserved);
    Platform {
        host,
        logs: options.logs.clone(),
        chaos: options.chaos.clone(),
        unreserved: Arc::new(Semaphore::new(unreserved as usize)),
    }
}

fn lambda_configuration(options: &Options) -> lambda::Configuration {
    lambda::Configuration {
        region: REGION.to_owned(),
        account_id: ACCOUNT_ID.to_owned(),
        clock: Clock::new(options.time_scale),
        idle_timeout: options.idle_timeout,
    }
}

fn functions(
    stack: &Stack,
    mut executables: HashMap<String, PathBuf>,
    listeners: &Listeners,
    platform: &Platform,
    iam: &mut Iam,
) -> anyhow::Result<HashMap<String, Arc<Function>>> {
    let mut functions = HashMap::new();
    for declared in &stack.functions {
        let executable = executables
            .remove(&declared.logical_id)
            .context("a function has no executable")?;
        let settings = settings(declared, executable, listeners, iam.add_function(declared));
        let function = Function::new(declared, settings, platform)
            .with_context(|| format!("{}: cannot open its log file", declared.logical_id))?;
        functions.insert(declared.name.clone(), Arc::new(function));
    }
    Ok(functions)
}

fn settings(
    declared: &template::Function,
    executable: PathBuf,
    listeners: &Listeners,
    credentials: Credentials,
) -> Settings {
    Settings {
        name: declared.name.clone(),
        arn: declared.arn.clone().into(),
        description: String::new(),
        runtime: declared.runtime.clone(),
        handler: declared.handler.clone(),
        directory: executable.parent().map(PathBuf::from).unwrap_or_default(),
        executable,
        memory_size: declared.memory_size,
        timeout: declared.timeout,
        environment: declared.environment.clone(),
        region: REGION.to_owned(),
        credentials,
        endpoints: listeners.variables(),
    }
}

/// The service of containers, if the template has one.
fn service(
    stack: &Stack,
    executables: &mut HashMap<String, PathBuf>,
    listeners: &Listeners,
    host: &Host,
    iam: &mut Iam,
    chaos: &Chaos,
) -> anyhow::Result<Option<ecs::Service>> {
    let Some(declared) = &stack.container_service else {
        return Ok(None);
    };
    let executable = executables.remove(&declared.logical_id);
    Ok(Some(ecs::Service::new(
        declared,
        executable.context("the service has no executable")?,
        host.clone(),
        REGION,
        iam.add_task(declared),
        &listeners.variables(),
        chaos.clone(),
    )))
}

/// Starts the service and what stands before it. When it returns, its first task is healthy.
async fn start_service(
    service: ecs::Service,
    declared: &template::ContainerService,
    listener: TcpListener,
    services: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let (healthy, mut target) = watch::channel(None);
    let (handed, work) = mpsc::unbounded_channel();
    services.spawn(async { match service.run(healthy, work).await {} });
    let balancer = load_balancer::serve(
        listener,
        target.clone(),
        handed,
        declared.load_balancer.idle_timeout,
    );
    services.spawn(async { balancer.await.context("the load balancer failed") });
    let first = timeout(FIRST_HEALTH_CHECK, target.wait_for(Option::is_some)).await;
    first.with_context(|| format!("{}: no task becomes healthy", declared.logical_id))??;
    Ok(())
}

fn event_source_mappings(
    stack: &Stack,
    sqs: &Sqs,
    lambda: &Lambda,
) -> anyhow::Result<Vec<EventSourceMapping>> {
    let enabled = stack
        .event_source_mappings
        .iter()
        .filter(|declared| declared.enabled);
    enabled
        .map(|declared| {
            let id = &declared.logical_id;
            let queue = sqs
                .queue_by_arn(&declared.event_source_arn)
                .with_context(|| format!("{id}: there is no queue {}", declared.event_source_arn))?;
            let function = lambda
                .function(&declared.function_name)
                .with_context(|| format!("{id}: there is no function {}", declared.function_name))?;
            Ok(EventSourceMapping::new(
                declared.clone(),
                queue,
                Arc::clone(function),
                REGION.to_owned(),
            ))
        })
        .collect()
}
