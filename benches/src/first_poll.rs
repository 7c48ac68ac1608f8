//! A function's process by itself, from its start to its first poll for work, which ends Lambda's init phase: how long
//! that takes and how much memory, and which of its code it is that runs. There is no local cloud around it, only a
//! socket that is polled, so what is measured is the function.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// How long a function may take, followed step by step on a busy machine.
const LIMIT: Duration = Duration::from_mins(1);

/// What the functions find in their environment: what Lambda sets, and what their templates do. Nothing of it is called.
const VARIABLES: [(&str, &str); 13] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "function"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/function"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ACCESS_KEY_ID", "key"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "token"),
    ("TABLE_NAME", "table"),
    ("WORKER_FUNCTION", "worker"),
    (
        "QUEUE_URL",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/queue",
    ),
    (
        "DEAD_LETTER_QUEUE_ARN",
        "arn:aws:sqs:eu-central-1:123456789012:dead-letters",
    ),
];

/// What a start took.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// From the start of the process to its first poll.
    pub duration: Duration,
    /// The most memory that it had by then, in bytes, with what it maps of its binary and of libraries.
    pub most_memory: u64,
}

/// Starts this function, and ends it when it polls.
///
/// # Errors
/// Fails when it cannot be started, or ends or hangs before it polls.
pub async fn start(function: &Path) -> Result<Start> {
    let mut polling = Polling::begin(function, &[]).await?;
    let status = format!("/proc/{}/status", polling.id()?);
    let status = fs::read_to_string(&status).with_context(|| format!("cannot read {status}"))?;
    polling.process.kill().await.context("cannot end the function")?;
    Ok(Start {
        duration: polling.duration,
        most_memory: most_memory(&status).context("the system does not say how much memory a process had")?,
    })
}

/// Has the system forget what it holds of this file in memory, so that the next start reads it from the disk.
///
/// # Errors
/// Fails when the file cannot be opened, or its system cannot do so.
pub fn forget(file: &Path) -> Result<()> {
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    opened.sync_all()?;
    posix_fadvise(&opened, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED)
        .with_context(|| format!("{} stays in memory", file.display()))
}

/// The symbols of the functions in Rust that this Lambda function runs until it polls. It is followed by Valgrind, and
/// has to have symbols. What Valgrind writes stands beside it.
///
/// # Errors
/// Fails when Valgrind is not installed, or the function ends or hangs before it polls.
pub async fn symbols(function: &Path) -> Result<BTreeSet<String>> {
    let profile = function.with_extension("profile");
    let destination = format!("--callgrind-out-file={}", profile.display());
    let valgrind = [
        "valgrind",
        "--quiet",
        "--tool=callgrind",
        "--demangle=no",
        &destination,
    ];
    let mut polling = Polling::begin(function, &valgrind).await?;
    // Valgrind writes down what ran when it is asked to end.
    kill(Pid::from_raw(polling.id()?.cast_signed()), Signal::SIGTERM)?;
    polling.process.wait().await?;
    let profile = fs::read_to_string(&profile).context("Valgrind has written nothing")?;
    Ok(symbols_in(&profile))
}

/// A function that has polled and waits for an answer. It ends when it is dropped.
struct Polling {
    process: Child,
    duration: Duration,
    _connection: TcpStream,
}

impl Polling {
    /// Starts the function as an argument of this command, or by itself if there is none.
    async fn begin(function: &Path, command: &[&str]) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let mut words = command.iter().map(OsStr::new).chain([function.as_os_str()]);
        let program = words.next().unwrap_or_default();
        let mut start = Command::new(program);
        start
            .args(words)
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(VARIABLES)
            .env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true);
        let begin = Instant::now();
        let mut process = start
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let connection = tokio::select! {
            polled = poll(&listener) => polled?,
            ended = process.wait() => bail!("{} ended before it polled: {}", function.display(), ended?),
            () = tokio::time::sleep(LIMIT) => bail!("{} does not poll", function.display()),
        };
        Ok(Self {
            process,
            duration: begin.elapsed(),
            _connection: connection,
        })
    }

    fn id(&self) -> Result<u32> {
        self.process.id().context("the function has ended")
    }
}

async fn poll(listener: &TcpListener) -> Result<TcpStream> {
    let (mut connection, _) = listener.accept().await?;
    connection.read_u8().await.context("the function hangs up")?;
    Ok(connection)
}

/// Reads it from what the system says of a process (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
fn most_memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The functions in Rust, among those that a profile names (<https://valgrind.org/docs/manual/cl-format.html>). It names each
/// once, where it runs or where it is called, and gives it a number by which it goes from then on.
fn symbols_in(profile: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let function = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn="))?;
        let (_, name) = function.split_once(") ")?;
        // One that calls itself has a quote and a number after its name.
        let symbol = name.split('\'').next()?;
        let is_rust = symbol.starts_with("_ZN") || symbol.starts_with("_R") || symbol == "main";
        is_rust.then(|| symbol.to_owned())
    };
    profile.lines().filter_map(name).collect()
}

/// The linker script that puts these functions first. Builds differ in parts of a symbol, for which any text may stand; and in
/// which functions LLVM takes for unlikely to run, and has in sections of another name.
pub fn order(symbols: &BTreeSet<String>) -> String {
    let patterns: BTreeSet<String> = symbols.iter().map(|symbol| pattern(symbol)).collect();
    let mut script = "/* The functions that run until a Lambda function first polls for work, by their symbols. Written by\n   \
                      `cargo bench -p benches --bench start_order`; shared/start/link.rs says what for. */\n\
                      SECTIONS {\n  .text.start : {\n    *(\n"
        .to_owned();
    for pattern in patterns {
        script += &["      .text.", &pattern, " .text.unlikely.", &pattern, "\n"].concat();
    }
    script += "    )\n  }\n} INSERT BEFORE .text;\n";
    script
}

/// The older symbols end in a hash, and the newer have one of each crate
/// (<https://doc.rust-lang.org/rustc/symbol-mangling/v0.html>). Both may have a suffix of LLVM's.
fn pattern(symbol: &str) -> String {
    const HASH: &str = "17h";
    if symbol.starts_with("_ZN") {
        let end = symbol.rfind(HASH).map_or(symbol.len(), |hash| hash + HASH.len());
        return format!("{}*", &symbol[..end]);
    }
    let (symbol, suffix) = symbol
        .split_once('.')
        .map_or((symbol, ""), |(symbol, _)| (symbol, "*"));
    let mut parts = symbol.split("Cs");
    let mut pattern = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let crate_name = part.split_once('_').map(|(_, name)| name);
        pattern += &crate_name.map_or_else(|| format!("Cs{part}"), |name| format!("Cs*_{name}"));
    }
    pattern + suffix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_the_system_writes_it() {
        let status = "Name:\tfunction\nVmPeak:\t    9000 kB\nVmHWM:\t    3528 kB\nVmRSS:\t    3000 kB\n";
        assert_eq!(most_memory(status), Some(3528 * 1024));
        assert_eq!(most_memory("Name:\tfunction\n"), None);
    }

    #[test]
    fn a_profile_names_each_function_once_and_those_of_libraries_too() {
        let profile = "ob=(1) /lib/libc.so.6\nfn=(3) malloc\n0x10 1 1\n\
                       ob=(2) /function\nfn=(4) _ZN3run17h0123456789abcdefE\n\
                       cfn=(5) _RNvNtCsabc_3std3env4__var'2\ncalls=1 0 0\nfn=(5)\nfn=(6) main\n";
        let symbols: Vec<String> = symbols_in(profile).into_iter().collect();
        assert_eq!(
            symbols,
            [
                "_RNvNtCsabc_3std3env4__var",
                "_ZN3run17h0123456789abcdefE",
                "main"
            ]
        );
    }

    #[test]
    fn the_script_names_the_sections_of_each_function_once() {
        let of_two_types = ["_ZN3run17h0123456789abcdefE", "_ZN3run17hfedcba9876543210E"];
        let script = order(&of_two_types.map(str::to_owned).into());
        let sections: Vec<&str> = script.lines().filter(|line| line.contains("_ZN")).collect();
        assert_eq!(sections, ["      .text._ZN3run17h* .text.unlikely._ZN3run17h*"]);
    }

    #[test]
    fn what_differs_between_builds_may_be_any_text() {
        for (symbol, expected) in [
            ("_ZN3run17h0123456789abcdefE", "_ZN3run17h*"),
            ("_ZN3run17h0123456789abcdefE.llvm.123", "_ZN3run17h*"),
            (
                "_RNvXsq_NtCslNYArtu3iFV_5alloc6stringNtB5_6StringNtNtCsgEmfK2I1SDS_4core3fmt7Display3fmt",
                "_RNvXsq_NtCs*_5alloc6stringNtB5_6StringNtNtCs*_4core3fmt7Display3fmt",
            ),
            ("_RNvNtCsabc_3std3env4__var.2146", "_RNvNtCs*_3std3env4__var*"),
            ("main", "main"),
        ] {
            assert_eq!(pattern(symbol), expected);
        }
    }
}
