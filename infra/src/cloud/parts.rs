//! Each service of the local cloud, made of what the template declares.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::timeout,
};

use super::{ACCOUNT_ID, Options, REGION, listeners::Listeners};
use crate::{
    chaos::Chaos,
    clock::Clock,
    ecs,
    iam::{Credentials, Iam},
    lambda::{
        self, ACCOUNT_CONCURRENCY, Lambda,
        event_source_mapping::EventSourceMapping,
        function::{Function, Platform},
        settings::Settings,
    },
    load_balancer,
    process::Host,
    sqs::{QueueAttributes, Sqs},
    template::{self, Stack},
};

/// How long the first task of a service may take to become healthy.
const FIRST_HEALTH_CHECK: Duration = Duration::from_secs(60);

pub(super) fn sqs_with_queues(stack: &Stack, listeners: &Listeners) -> anyhow::Result<Sqs> {
    let sqs = Sqs::new(REGION, ACCOUNT_ID, &listeners.endpoint_url);
    for queue in targets_first(&stack.queues) {
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

/// The queues, those that others name as their dead-letter queues before these.
fn targets_first(queues: &[template::Queue]) -> Vec<&template::Queue> {
    let mut ordered = Vec::new();
    let mut left: Vec<_> = queues.iter().collect();
    while !left.is_empty() {
        let waits = |queue: &template::Queue| {
            let policy = queue.attributes.get("RedrivePolicy");
            let names = |policy: &String| {
                left.iter()
                    .any(|target| policy.contains(&format!("{:?}", target.arn)))
            };
            policy.is_some_and(names)
        };
        let (waiting, ready): (Vec<_>, Vec<_>) = left.iter().partition(|queue| waits(queue));
        if ready.is_empty() {
            // In a circle; the template was refused.
            ordered.extend(waiting);
            return ordered;
        }
        ordered.extend(ready);
        left = waiting;
    }
    ordered
}

/// What functions share.
pub(super) fn platform(stack: &Stack, host: Host, options: &Options) -> Platform {
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

pub(super) fn lambda_configuration(options: &Options) -> lambda::Configuration {
    lambda::Configuration {
        region: REGION.to_owned(),
        account_id: ACCOUNT_ID.to_owned(),
        clock: Clock::new(options.time_scale),
        idle_timeout: options.idle_timeout,
    }
}

pub(super) fn functions(
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
pub(super) fn service(
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
pub(super) async fn start_service(
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

pub(super) fn event_source_mappings(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str, target: Option<&str>) -> template::Queue {
        let arn = |name: &str| format!("arn:aws:sqs:us-east-1:123456789012:{name}");
        let policy = |target| {
            format!(
                r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":5}}"#,
                arn(target)
            )
        };
        let attributes = target.map(|target| ("RedrivePolicy".to_owned(), policy(target)));
        template::Queue {
            logical_id: name.to_owned(),
            name: name.to_owned(),
            arn: arn(name),
            url: String::new(),
            attributes: attributes.into_iter().collect(),
        }
    }

    #[test]
    fn a_dead_letter_queue_comes_first_even_where_it_has_one_itself() {
        let queues = [
            queue("A", Some("B")),
            queue("B", Some("C")),
            queue("C", None),
            queue("AA", None),
        ];
        let names: Vec<_> = targets_first(&queues)
            .into_iter()
            .map(|queue| queue.name.as_str())
            .collect();
        assert_eq!(names, ["C", "AA", "B", "A"]);
        let circle = [queue("A", Some("B")), queue("B", Some("A"))];
        assert_eq!(targets_first(&circle).len(), 2);
    }
}
