//! Shows on standard error how far a measurement is: a bar on a terminal, a line for each phase elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::variant::Variant;

/// Several phases may go on at the same time.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// The steps of a comparison, as they begin.
#[derive(Debug)]
pub struct Steps {
    all: u32,
    begun: u32,
    current: String,
    since: Instant,
}

impl Steps {
    /// So many, from now on.
    pub fn new(all: u32) -> Self {
        Self {
            all,
            begun: 0,
            current: String::new(),
            since: Instant::now(),
        }
    }

    /// Says which begins, and how long the others took.
    pub fn begin(&mut self, what: &str) {
        self.begun += 1;
        what.clone_into(&mut self.current);
        let minutes = self.since.elapsed().as_secs() / 60;
        let seconds = self.since.elapsed().as_secs() % 60;
        let line = format!(
            "{minutes}:{seconds:02}  step {} of {}: {what}",
            self.begun, self.all
        );
        say(&line);
    }

    /// What began last.
    pub fn current(&self) -> &str {
        &self.current
    }
}

/// Says it above the bars that are there, or on a line of its own elsewhere.
pub fn say(line: &str) {
    if stderr().is_terminal() {
        // Bars are drawn again below it. That the terminal is gone is no reason to stop.
        let _ = BARS.println(line);
    } else {
        eprintln!("{line}");
    }
}

/// A step of a measurement that is going on. It vanishes from the terminal when dropped; who share it, share an `Arc`.
#[derive(Debug)]
pub struct Phase {
    bar: ProgressBar,
}

impl Phase {
    /// Begins a phase of this many steps; with none, a spinner shows that it goes on.
    pub fn begin(variant: Variant, what: &str, steps: u64) -> Self {
        Self::named(format!("{variant}: {what}"), steps)
    }

    /// Begins a phase that concerns all of the ways.
    pub fn begin_for_all(what: &str, steps: u64) -> Self {
        Self::named(what.to_owned(), steps)
    }

    fn named(name: String, steps: u64) -> Self {
        if !stderr().is_terminal() {
            eprintln!("{name}");
            return Self::silent();
        }
        let bar = if steps == 0 {
            ProgressBar::new_spinner()
        } else {
            ProgressBar::new(steps)
        };
        bar.set_style(style(steps));
        let bar = BARS.add(bar);
        bar.set_prefix(name);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar }
    }

    /// A phase that shows nothing.
    pub fn silent() -> Self {
        Self {
            bar: ProgressBar::hidden(),
        }
    }

    /// One step is done.
    pub fn advance(&self) {
        self.bar.inc(1);
    }

    /// Says what is being done just now.
    pub fn detail(&self, text: &str) {
        self.bar.set_message(text.to_owned());
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(steps: u64) -> ProgressStyle {
    let template = if steps == 0 {
        "{spinner} {prefix} {elapsed} {wide_msg:.dim}"
    } else {
        "{spinner} {prefix} {bar:30} {pos}/{len}, {eta} left {wide_msg:.dim}"
    };
    // The templates above are fixed; were one wrong, the plain bar would do.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
