//! What is changed, one thing in each row.

use super::UNCHANGED;

/// One thing that is changed.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is changed, for a table.
    pub change: &'static str,
    pub(super) how: How,
    /// Whether it is measured with the CPU share of 128 MB as well.
    pub(super) with_128_mb: bool,
}

/// How it is changed.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    /// Not at all.
    Not,
    /// By a variable of the build, and its value: one that overrides the release profile
    /// (<https://doc.rust-lang.org/cargo/reference/environment-variables.html>), or that of the build script.
    Build(&'static str, &'static str),
    /// By a feature of the package `ablation`.
    Feature(&'static str),
    /// By a variable of the function.
    Variable(&'static str, &'static str),
    /// It is another function: the floor.
    Floor,
}

impl Row {
    const fn new(name: &'static str, change: &'static str, how: How) -> Self {
        let with_128_mb = false;
        Self {
            name,
            change,
            how,
            with_128_mb,
        }
    }

    const fn with_128_mb(self) -> Self {
        Self {
            with_128_mb: true,
            ..self
        }
    }
}

/// All rows; the unchanged one first.
pub const ROWS: &[Row] = &[
    Row::new(UNCHANGED, "nothing", How::Not).with_128_mb(),
    Row::new("again", "nothing, once more: what differs is noise", How::Not),
    Row::new(
        "noop",
        "the floor: another function, which does nothing",
        How::Floor,
    )
    .with_128_mb(),
    Row::new(
        "lto-off",
        "no LTO; the SDK's own crates are not optimised then",
        How::Build("CARGO_PROFILE_RELEASE_LTO", "off"),
    ),
    Row::new(
        "lto-thin",
        "thin LTO",
        How::Build("CARGO_PROFILE_RELEASE_LTO", "thin"),
    ),
    Row::new(
        "opt-z",
        "opt-level z, but 3 for shared and sha2",
        How::Build("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z"),
    ),
    Row::new(
        "opt-s",
        "opt-level s, but 3 for shared and sha2",
        How::Build("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"),
    )
    .with_128_mb(),
    Row::new(
        "opt-2",
        "opt-level 2, but 3 for shared and sha2",
        How::Build("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2"),
    ),
    Row::new(
        "panic-abort",
        "panics abort",
        How::Build("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ),
    Row::new(
        "units-16",
        "16 codegen units",
        How::Build("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ),
    Row::new(
        "strip-off",
        "symbols are kept",
        How::Build("CARGO_PROFILE_RELEASE_STRIP", "none"),
    ),
    Row::new(
        "linkers-order",
        "the code lies in the linker's own order",
        How::Build("START_ORDER", "off"),
    ),
    Row::new(
        "multi-thread",
        "Tokio's multi-thread runtime",
        How::Feature("multi-thread"),
    ),
    Row::new(
        "trust-system",
        "the system's certificates are trusted as well",
        How::Variable("TRUST_STORE", "system"),
    ),
    Row::new("aws-lc", "AWS-LC instead of ring", How::Feature("aws-lc")),
    Row::new(
        "sdk-client",
        "the SDK's own HTTP client",
        How::Feature("sdk-client"),
    ),
    Row::new(
        "client-each",
        "an HTTP client for each service",
        How::Feature("client-each"),
    ),
    Row::new(
        "default-chain",
        "Region, credentials and profiles by the SDK's default chains",
        How::Feature("default-chain"),
    ),
    Row::new(
        "warm-up",
        "a call of DynamoDB during init",
        How::Feature("warm-up"),
    )
    .with_128_mb(),
    Row::new("mimalloc", "mimalloc as allocator", How::Feature("mimalloc")),
    Row::new(
        "sdk-features",
        "the SDK's default features",
        How::Feature("sdk-features"),
    ),
];
