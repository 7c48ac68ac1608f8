//! Amazon ECS on Fargate, as far as the local cloud has it: a service with one task of one container, which always runs.
//! The container is a process of the binary that its image holds. When it ends, whatever the reason, the service starts
//! another one (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html>).
//!
//! Each task gets a port of its own, in `PORT`, because there is one network here for all; and the credentials of its
//! role in the environment, where ECS has an address for them
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html>). Its target is registered with the
//! load balancer once its health check succeeds, and is gone with it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    net::{Ipv4Addr, SocketAddr},
    os::fd::OwnedFd,
    path::PathBuf,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Split},
    net::{TcpListener, unix::pipe},
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

use crate::{
    chaos::{Chaos, Fault},
    iam::Credentials,
    load_balancer,
    process::{Host, ProcessGroup, Program},
    say::say,
    template::ContainerService,
};

/// The time between the end of a task and the start of the next. On Fargate it is longer: a machine has to be found, and
/// the image to be pulled.
const RESTART: Duration = Duration::from_secs(1);

/// The time between two health checks of a task that has not succeeded yet. On AWS it is 5 seconds at least
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>).
const HEALTH_CHECK: Duration = Duration::from_millis(20);

/// A service, and how its task is started.
#[derive(Debug)]
pub struct Service {
    /// It stands before what a task prints.
    name: String,
    executable: PathBuf,
    /// The whole environment, but `PORT`.
    environment: BTreeMap<String, String>,
    memory_size: u32,
    health_check_path: String,
    host: Host,
    chaos: Chaos,
}

/// A task that was started.
struct Task {
    process: ProcessGroup,
    /// What it prints, by lines.
    output: Split<BufReader<pipe::Receiver>>,
    address: SocketAddr,
}

impl Service {
    /// The service that a template declares, with the keys of its role, and the variables by which SDKs find the AWS
    /// endpoint. The template's own variables count before these.
    pub fn new(
        declared: &ContainerService,
        executable: PathBuf,
        host: Host,
        region: &str,
        keys: Credentials,
        endpoints: &[(&str, String)],
        chaos: Chaos,
    ) -> Self {
        let endpoints = endpoints.iter().map(|(name, url)| (*name, url.clone()));
        let token = keys.session_token.map(|token| ("AWS_SESSION_TOKEN", token));
        let given = [
            ("AWS_REGION", region.to_owned()),
            ("AWS_ACCESS_KEY_ID", keys.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", keys.secret_access_key),
        ];
        let given = endpoints.chain(given).chain(token);
        let mut environment: BTreeMap<_, _> = given.map(|(name, value)| (name.to_owned(), value)).collect();
        environment.extend(declared.environment.clone());
        Self {
            name: declared.logical_id.clone(),
            executable,
            environment,
            memory_size: declared.memory_size,
            health_check_path: declared.load_balancer.health_check_path.clone(),
            host,
            chaos,
        }
    }

    /// Keeps a task running, for ever. `target` has its address while it is healthy; `work` tells when it is handed any.
    pub async fn run(
        self,
        target: watch::Sender<Option<SocketAddr>>,
        mut work: mpsc::UnboundedReceiver<()>,
    ) -> Infallible {
        loop {
            match self.start().await {
                Ok(task) => {
                    let status = self.follow(task, &target, &mut work).await;
                    say!("infra: the task of {} has ended: {status}", self.name);
                }
                Err(error) => say!("infra: the task of {} does not start: {error}", self.name),
            }
            target.send_replace(None);
            sleep(RESTART).await;
        }
    }

    async fn start(&self) -> io::Result<Task> {
        // Free now; should somebody else take it first, the task ends and the next one gets another.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?;
        let mut environment = self.environment.clone();
        environment.insert("PORT".to_owned(), address.port().to_string());
        let (reader, writer) = io::pipe()?;
        let process = ProcessGroup::start(
            Program {
                executable: &self.executable,
                environment: environment.into_iter().collect(),
                directory: self.executable.parent().unwrap_or(&self.executable),
                memory_size: self.memory_size,
                output: OwnedFd::from(writer),
            },
            &self.host,
        )?;
        let output = pipe::Receiver::from_owned_fd(reader.into())?;
        Ok(Task {
            process,
            output: BufReader::new(output).split(b'\n'),
            address,
        })
    }

    /// Passes on what a task prints until it ends. Answers how it did.
    async fn follow(
        &self,
        mut task: Task,
        target: &watch::Sender<Option<SocketAddr>>,
        work: &mut mpsc::UnboundedReceiver<()>,
    ) -> String {
        let healthy = self.healthy(task.address);
        tokio::pin!(healthy);
        let (mut is_healthy, mut is_silent) = (false, false);
        let mut killed: Option<Instant> = None;
        loop {
            tokio::select! {
                status = task.process.ended() => return status,
                () = &mut healthy, if !is_healthy => {
                    is_healthy = true;
                    target.send_replace(Some(task.address));
                }
                Some(()) = work.recv(), if killed.is_none() => {
                    killed = self.chaos.kills_container().map(|delay| Instant::now() + delay);
                }
                () = sleep_until(killed.unwrap_or_else(Instant::now)), if killed.is_some() => {
                    self.chaos.inflicted(Fault::Kill, &self.name);
                    return "signal: killed".to_owned();
                }
                line = task.output.next_segment(), if !is_silent => match line {
                    Ok(Some(line)) => say!("[{}] {}", self.name, String::from_utf8_lossy(&line)),
                    Ok(None) | Err(_) => is_silent = true,
                },
            }
        }
    }

    /// Returns when the health check succeeds.
    async fn healthy(&self, address: SocketAddr) {
        let client = load_balancer::client();
        while !load_balancer::is_healthy(&client, address, &self.health_check_path).await {
            sleep(HEALTH_CHECK).await;
        }
    }
}
