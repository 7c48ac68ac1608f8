//! What the local cloud itself has to say, and what its functions print, goes to standard error. Where nobody reads that any
//! more, everything goes on without: `eprintln!` would panic, in the middle of somebody's request.

use std::io::{self, Write as _};

/// One line, written at once so that it stays whole.
pub(crate) fn line(text: &str) {
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// The same of a text that is formatted as by `format!`.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::say::line(&format!($($text)*))
    };
}

pub(crate) use say;
