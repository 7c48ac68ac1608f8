//! A function's process with nothing around it: a socket has the place of the Runtime API.

use std::io::Read;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use benches::workspace;

/// From the process's being spawned to its first poll for work, so many times.
pub(crate) fn starts(binary: &str, times: u64) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for _ in 0..times {
        total += start(binary)?;
    }
    Ok(total)
}

fn start(binary: &str) -> Result<Duration> {
    let runtime_api = TcpListener::bind(("127.0.0.1", 0))?;
    let path = workspace::target_directory()?.join("release").join(binary);
    let mut command = Command::new(&path);
    command
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api.local_addr()?.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "Function")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let begin = Instant::now();
    let mut process = command
        .spawn()
        .with_context(|| format!("cannot start {}", path.display()))?;
    let polled = first_poll(&runtime_api);
    let elapsed = begin.elapsed();
    process.kill()?;
    process.wait()?;
    polled.map(|()| elapsed)
}

fn first_poll(runtime_api: &TcpListener) -> Result<()> {
    let (mut connection, _) = runtime_api.accept()?;
    let mut request = [0; 64];
    let length = connection.read(&mut request)?;
    ensure!(request[..length].starts_with(b"GET "), "that is no poll for work");
    Ok(())
}
