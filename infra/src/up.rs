//! `infra up`: runs a template until it is interrupted.

use std::{
    io::{ErrorKind, Write as _},
    path::PathBuf,
    time::Duration,
};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    chaos::{self, Chaos},
    cloud::{Cloud, Description, Options},
    process::limits::{self, Enforcement},
    say::say,
    variant::{key_and_value, template_path},
};

/// The command line of `infra up`.
#[derive(Debug, clap::Args)]
pub struct Up {
    /// A variant (self-invoke, sqs-worker, split-lambda) or the path of a SAM template
    #[arg(value_name = "VARIANT|TEMPLATE.yaml")]
    template: String,
    /// Port of the HTTP API [default: any free port]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    api_port: u16,
    /// Port of the AWS endpoint [default: any free port]
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    cloud_port: u16,
    /// Serve the AWS endpoint over TLS, by a certificate authority of its own. The functions trust it; for other clients
    /// the file with its certificate is printed. The HTTP API stays plain
    #[arg(long)]
    tls: bool,
    /// Print one line of JSON, for programs, when everything answers
    #[arg(long)]
    json: bool,
    /// Let retry delays, event ages and idle times pass N times faster
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = positive)]
    time_scale: f64,
    /// Remove an execution environment that has been idle for so many seconds, which pass on the time scale
    #[arg(long, value_name = "SECONDS", default_value_t = 600.0, value_parser = positive)]
    idle_timeout: f64,
    /// Write what each function logs to DIR/NAME.log as well
    #[arg(long, value_name = "DIR")]
    logs: Option<PathBuf>,
    /// Build the functions with this profile of their workspace. `release` is what AWS gets; in this workspace, `quick` is
    /// built in a fraction of the time, for tests
    #[arg(long, value_name = "NAME", default_value = "release")]
    cargo_profile: String,
    /// Enforce what a function's memory size means, by control groups where the system permits it
    #[arg(long, value_enum, default_value_t)]
    limits: Enforcement,
    /// Let things go wrong, each with a probability from 0 to 1: environments are killed, events and messages delivered
    /// twice, functions' calls and their invocations by queues throttled, responses to their calls lost
    #[arg(long, value_name = "kill=P,duplicate=P,throttle=P,drop-response=P,seed=N")]
    chaos: Option<chaos::Settings>,
    /// Set a parameter of the template
    #[arg(long = "parameter", value_name = "KEY=VALUE", value_parser = key_and_value)]
    parameters: Vec<(String, String)>,
}

impl Up {
    /// Runs the command: returns when it was interrupted.
    ///
    /// # Errors
    ///
    /// The local cloud could not be started, or broke down.
    pub async fn run(self) -> anyhow::Result<()> {
        // From here on, an interruption ends the program in order, at whatever point it comes.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let chaos = self.chaos.clone().map(Chaos::new).unwrap_or_default();
        chaos.announce();
        let ended = tokio::select! {
            ended = self.serve(chaos.clone()) => ended,
            _ = interrupt.recv() => Ok(()),
            _ = terminate.recv() => Ok(()),
        };
        chaos.announce_totals();
        ended
    }

    async fn serve(self, chaos: Chaos) -> anyhow::Result<()> {
        let options = Options {
            template: template_path(&self.template)?,
            parameters: self.parameters,
            cargo_profile: self.cargo_profile,
            api_port: self.api_port,
            cloud_port: self.cloud_port,
            tls: self.tls,
            time_scale: self.time_scale,
            idle_timeout: Duration::from_secs_f64(self.idle_timeout),
            logs: self.logs,
            limits: self.limits,
            chaos,
        };
        if (self.time_scale - 1.0).abs() > f64::EPSILON {
            say!(
                "infra: retry delays, event ages and idle times pass {} times faster",
                self.time_scale
            );
        }
        limits::raise_open_files();
        let mut cloud = match Cloud::start(options).await {
            Err(error) if is_port_taken(&error) => {
                return Err(error)
                    .context("give another port, or leave the option out: then any free one is taken");
            }
            started => started?,
        };
        print(&cloud.description, self.json)?;
        cloud.failed().await
    }
}

fn is_port_taken(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::AddrInUse)
}

fn print(description: &Description, json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(description)?)?;
    } else {
        if let Some(api_url) = &description.api_url {
            writeln!(out, "HTTP API      {api_url}")?;
        }
        writeln!(out, "AWS endpoint  {}", description.endpoint_url)?;
        if let Some(path) = &description.ca_certificate {
            writeln!(out, "to trust it   AWS_CA_BUNDLE={}", path.display())?;
        }
        writeln!(
            out,
            "credentials   AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={} AWS_REGION={}",
            description.access_key_id, description.secret_access_key, description.region
        )?;
        say!("infra: everything is up; Ctrl-C ends it");
    }
    Ok(out.flush()?)
}

/// Times are multiplied with it, and have to stay times.
fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if (0.001..=1e6).contains(&number) => Ok(number),
        _ => Err("give a number from 0.001 to 1000000".to_owned()),
    }
}
