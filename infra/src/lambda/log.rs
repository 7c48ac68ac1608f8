//! What functions print, and the lines that Lambda adds, as they stand in CloudWatch Logs
//! (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html>). Here they go to standard
//! error, each with its function's name before it.

use std::{
    io::{self, Write as _},
    os::fd::OwnedFd,
    time::Duration,
};

use tokio::net::unix::pipe;

/// How much of an invocation's log `LogType: Tail` returns, in bytes
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).
const TAIL: usize = 4 * 1024;

/// How much is read at once, in bytes.
const CHUNK: usize = 8 * 1024;

/// The log of one execution environment.
#[derive(Debug)]
pub(super) struct Log {
    function: String,
    pipe: pipe::Receiver,
    /// What was read of a line that has not ended.
    partial: Vec<u8>,
    tail: Vec<u8>,
    /// Whether the other end of the pipe is closed.
    ended: bool,
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
}

impl Log {
    /// A log of `function`, and where its process has to write.
    pub(super) fn new(function: String) -> io::Result<(Self, OwnedFd)> {
        let (reader, writer) = io::pipe()?;
        let pipe = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok((
            Self {
                function,
                pipe,
                partial: Vec::new(),
                tail: Vec::new(),
                ended: false,
            },
            OwnedFd::from(writer),
        ))
    }

    /// Waits for output and passes it on; never returns once the output has ended. Cancel safe.
    pub(super) async fn follow(&mut self) {
        if self.ended || self.pipe.readable().await.is_err() {
            self.ended = true;
            std::future::pending::<()>().await;
        }
        self.drain();
    }

    /// Passes on what has been written so far.
    pub(super) fn drain(&mut self) {
        let mut chunk = [0; CHUNK];
        loop {
            match self.pipe.try_read(&mut chunk) {
                Ok(0) => {
                    self.ended = true;
                    return;
                }
                Ok(length) => self.take(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // `WouldBlock`: all is read. Any other: there is nothing more to be had.
                Err(_) => return,
            }
        }
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

    /// The line of an invocation that was cut off at its timeout.
    pub(super) fn timed_out(&mut self, request_id: &str, timeout: Duration) {
        self.drain();
        let now = jiff::Timestamp::now();
        self.line(&format!(
            "{now:.3} {request_id} Task timed out after {:.2} seconds",
            timeout.as_secs_f64()
        ));
    }

    /// The line of a runtime that ended by itself.
    pub(super) fn exited(&mut self, request_id: &str, status: &str) {
        self.drain();
        self.line(&format!(
            "RequestId: {request_id} Error: Runtime exited with error: {status}"
        ));
        self.line("Runtime.ExitError");
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
        // Where nobody reads standard error, the functions go on without.
        let _ = writeln!(io::stderr().lock(), "[{}] {line}", self.function);
    }

    fn take(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            self.line(String::from_utf8_lossy(&line[..end]).trim_end_matches('\r'));
        }
    }
}

impl std::fmt::Display for Report<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1_000.0;
        // INIT is billed too, in whole milliseconds together with the invocation.
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
        match self.init {
            Some(init) => write!(formatter, "Init Duration: {:.2} ms\t", milliseconds(init)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_reads_as_lambda_prints_it() {
        let report = Report {
            request_id: "id",
            duration: Duration::from_micros(1_234),
            init: Some(Duration::from_micros(15_600)),
            memory_size: 128,
            max_memory_used: Some(15),
        };
        assert_eq!(
            report.to_string(),
            "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 17 ms\tMemory Size: 128 MB\tMax Memory Used: \
             15 MB\tInit Duration: 15.60 ms\t"
        );
    }

    #[tokio::test]
    async fn lines_are_put_together_and_the_tail_starts_with_the_invocation() {
        let (mut log, writer) = Log::new("f".into()).unwrap();
        let mut writer = std::fs::File::from(writer);
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
    async fn the_tail_is_bounded() {
        let (mut log, _writer) = Log::new("f".into()).unwrap();
        for _ in 0..10_000 {
            log.line("0123456789");
        }
        assert_eq!(log.tail().len(), TAIL);
    }
}
