//! What functions print, and the lines that Lambda adds, as they stand in CloudWatch Logs
//! (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html>). Here they go to standard
//! error, each with its function's name before it, to the function's log group, and to a file if it is wanted.

use std::{
    fs::{File, OpenOptions, create_dir_all},
    io::{self, PipeReader, Read as _, Write as _},
    os::fd::OwnedFd,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{net::unix::pipe, task::coop::consume_budget};

use super::failure::Failure;
use crate::{logs::LogGroup, say::say};

/// How much of an invocation's log `LogType: Tail` returns, in bytes
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).
const TAIL: usize = 4 * 1024;

/// How much is read at once, in bytes.
const CHUNK: usize = 8 * 1024;

/// How much a pipe holds, in bytes (<https://man7.org/linux/man-pages/man7/pipe.7.html>).
const PIPE: usize = 64 * 1024;

/// The longest line, in bytes, as of an event of CloudWatch Logs; what is longer becomes several.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const LONGEST_LINE: usize = 1024 * 1024;

/// Where all environments of a function log: standard error, the log group, and a file if there is one.
#[derive(Debug)]
pub(super) struct LogFile {
    function: String,
    pub(super) group: Arc<LogGroup>,
    file: Option<Mutex<File>>,
}

impl LogFile {
    /// Where `function` logs; also to a file of its name in `directory`, which is made if need be.
    pub(super) fn open(function: &str, directory: Option<&Path>) -> io::Result<Self> {
        let open = |directory: &Path| {
            create_dir_all(directory)?;
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(directory.join(format!("{function}.log")))
        };
        Ok(Self {
            function: function.to_owned(),
            group: Arc::default(),
            file: directory.map(open).transpose()?.map(Mutex::new),
        })
    }

    fn write(&self, stream: &Arc<str>, line: &str) {
        self.group.add(stream, line);
        say!("[{}] {line}", self.function);
        if let Some(file) = &self.file {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// The log of one execution environment.
#[derive(Debug)]
pub(super) struct Log {
    file: Arc<LogFile>,
    /// The name of its log stream.
    stream: Arc<str>,
    /// From the process; absent before it is started, and once it has closed its end.
    output: Option<Output>,
    /// What was read of a line that has not ended.
    partial: Vec<u8>,
    tail: Vec<u8>,
}

/// Two ends of the same pipe: one that tells when there is something to read, and one that reads what is there whether
/// it was told of or not.
#[derive(Debug)]
struct Output {
    pipe: pipe::Receiver,
    reader: PipeReader,
}

/// The figures of a REPORT line.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) request_id: &'a str,
    pub(super) duration: Duration,
    /// The init duration, in the report of the first invocation of an environment.
    pub(super) init: Option<Duration>,
    pub(super) memory_size: u32,
    pub(super) max_memory_used: Option<u64>,
    pub(super) failure: Option<&'a Failure>,
}

/// In which phase of an environment's life init takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Init,
    Invoke,
}

impl Log {
    /// An empty log.
    pub(super) fn new(file: Arc<LogFile>, stream: Arc<str>) -> Self {
        Self {
            file,
            stream,
            output: None,
            partial: Vec::new(),
            tail: Vec::new(),
        }
    }

    /// Where a new process has to write.
    pub(super) fn connect(&mut self) -> io::Result<OwnedFd> {
        let (reader, writer) = io::pipe()?;
        // Here the pipe becomes one that is not waited for, by either of the two.
        let pipe = pipe::Receiver::from_owned_fd(reader.try_clone()?.into())?;
        self.output = Some(Output { pipe, reader });
        Ok(OwnedFd::from(writer))
    }

    /// Waits for output and passes it on; never returns once the output has ended. Cancel safe.
    pub(super) async fn follow(&mut self) {
        match &self.output {
            Some(output) if output.pipe.readable().await.is_ok() => {}
            _ => std::future::pending().await,
        }
        // A process that writes without a pause always has more, and who follows it would never let anybody else run: no
        // timeout would pass.
        consume_budget().await;
        self.read(|output, chunk| output.pipe.try_read(chunk));
    }

    /// Passes on what has been written so far: no more than a pipe holds, however quickly it is filled again.
    pub(super) fn drain(&mut self) {
        for _ in 0..PIPE / CHUNK {
            if !self.read(|output, chunk| output.reader.read(chunk)) {
                return;
            }
        }
    }

    /// The process has closed its end: what it wrote last is a line, even without an end.
    fn close(&mut self) {
        self.output = None;
        if !self.partial.is_empty() {
            self.take(b"\n");
        }
    }

    /// Passes on a part of the output. Answers whether there was any.
    fn read(&mut self, read: impl Fn(&mut Output, &mut [u8]) -> io::Result<usize>) -> bool {
        let Some(output) = &mut self.output else {
            return false;
        };
        let mut chunk = [0; CHUNK];
        match read(output, &mut chunk) {
            Ok(0) => self.close(),
            Ok(length) => self.take(&chunk[..length]),
            // `WouldBlock`: all is read. Any other: there is nothing more to be had.
            Err(error) => return error.kind() == io::ErrorKind::Interrupted,
        }
        true
    }

    pub(super) fn start(&mut self, request_id: &str) {
        self.drain();
        self.tail.clear();
        self.line(&format!("START RequestId: {request_id} Version: $LATEST"));
    }

    pub(super) fn end(&mut self, report: &Report<'_>) {
        self.drain();
        self.line(&format!("END RequestId: {}", report.request_id));
        self.line(&report.to_string());
    }

    /// The line about an init that failed. One that succeeds is reported with the first invocation.
    pub(super) fn init_report(&mut self, duration: Duration, phase: Phase, failure: &Failure) {
        self.drain();
        let phase = match phase {
            Phase::Init => "init",
            Phase::Invoke => "invoke",
        };
        self.line(&format!(
            "INIT_REPORT Init Duration: {:.2} ms\tPhase: {phase}\t{failure}",
            milliseconds(duration)
        ));
    }

    /// The last lines of this invocation.
    pub(super) fn tail(&self) -> Vec<u8> {
        self.tail[self.tail.len().saturating_sub(TAIL)..].to_vec()
    }

    /// One line, from the function or from Lambda.
    pub(super) fn line(&mut self, line: &str) {
        self.tail.extend_from_slice(line.as_bytes());
        self.tail.push(b'\n');
        if self.tail.len() > 4 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        self.file.write(&self.stream, line);
    }

    fn take(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            let has_ended = piece.ends_with(b"\n");
            if has_ended || self.partial.len() >= LONGEST_LINE {
                let line = std::mem::take(&mut self.partial);
                let text = String::from_utf8_lossy(&line[..line.len() - usize::from(has_ended)]);
                self.line(text.trim_end_matches('\r'));
            }
        }
    }
}

impl std::fmt::Display for Report<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // INIT is billed too, in whole milliseconds together with the invocation
        // (https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase).
        let billed = (self.duration + self.init.unwrap_or_default())
            .as_micros()
            .div_ceil(1_000);
        write!(
            formatter,
            "REPORT RequestId: {}\tDuration: {:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {} MB\tMax Memory \
             Used: {} MB\t",
            self.request_id,
            milliseconds(self.duration),
            self.memory_size,
            self.max_memory_used.unwrap_or_default(),
        )?;
        if let Some(init) = self.init {
            write!(formatter, "Init Duration: {:.2} ms\t", milliseconds(init))?;
        }
        self.failure
            .map_or(Ok(()), |failure| write!(formatter, "{failure}"))
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(directory: Option<&Path>) -> (Log, File) {
        let file = LogFile::open("f", directory).unwrap();
        let mut log = Log::new(Arc::new(file), "stream".into());
        let writer = log.connect().unwrap();
        (log, File::from(writer))
    }

    #[test]
    fn a_report_reads_as_lambda_prints_it() {
        let mut report = Report {
            request_id: "id",
            duration: Duration::from_micros(1_234),
            init: Some(Duration::from_micros(15_600)),
            memory_size: 128,
            max_memory_used: Some(15),
            failure: None,
        };
        let text = "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 17 ms\tMemory Size: 128 MB\tMax Memory \
                    Used: 15 MB\tInit Duration: 15.60 ms\t";
        assert_eq!(report.to_string(), text);
        report.failure = Some(&Failure::TimedOut);
        assert_eq!(report.to_string(), format!("{text}Status: timeout"));
    }

    #[tokio::test]
    async fn lines_are_put_together_and_the_tail_starts_with_the_invocation() {
        let (mut log, mut writer) = log(None);
        writer.write_all(b"before\n").unwrap();
        log.start("1");
        writer.write_all(b"one\ntw").unwrap();
        log.drain();
        writer.write_all(b"o\r\n").unwrap();
        log.drain();
        assert_eq!(
            String::from_utf8(log.tail()).unwrap(),
            "START RequestId: 1 Version: $LATEST\none\ntwo\n"
        );
    }

    #[tokio::test]
    async fn the_last_line_of_a_process_needs_no_end() {
        let (mut log, mut writer) = log(None);
        writer.write_all(b"last words").unwrap();
        log.drain();
        assert_eq!(log.tail(), b"");
        drop(writer);
        log.drain();
        assert_eq!(log.tail(), b"last words\n");
    }

    #[tokio::test]
    async fn a_line_without_an_end_becomes_several() {
        let (mut log, mut writer) = log(None);
        let chunk = [b'x'; CHUNK];
        for _ in 0..LONGEST_LINE / CHUNK {
            writer.write_all(&chunk).unwrap();
            log.drain();
        }
        assert!(log.partial.is_empty());
        assert!(log.tail().ends_with(b"x\n"));
    }

    #[tokio::test]
    async fn the_tail_is_bounded() {
        let (mut log, _writer) = log(None);
        for _ in 0..5 {
            log.line(&"-".repeat(1_000));
        }
        assert_eq!(log.tail().len(), TAIL);
    }

    /// The line stands in <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>.
    #[tokio::test]
    async fn the_file_of_a_function_has_its_lines_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (mut log, _writer) = log(Some(directory.path()));
        log.init_report(Duration::from_micros(1_236_040), Phase::Init, &Failure::TimedOut);
        let written = std::fs::read_to_string(directory.path().join("f.log")).unwrap();
        assert_eq!(
            written,
            "INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout\n"
        );
    }
}
