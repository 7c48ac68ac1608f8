//! Has the linker put the code that a function runs before it first polls for work in one place: fewer pages of the binary
//! are read and mapped at a cold start. The build script of every function that is made of `shared`; `order.ld` lists the
//! code, and `cargo bench -p benches --bench start_order` writes that list.

use std::path::Path;
use std::{env, fs, io};

/// With the value `off` the linker's own order stays.
const SETTING: &str = "START_ORDER";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed={SETTING}");
    let is_linux = variable("CARGO_CFG_TARGET_OS") == "linux";
    if is_linux && variable(SETTING) != "off" && linker_takes_lists() {
        let script = Path::new(&variable("OUT_DIR")).join("order.ld");
        fs::write(&script, include_str!("order.ld"))?;
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    }
    Ok(())
}

/// Whether it is certain that the linker knows such lists: GNU's and LLVM's do, behind a compiler, and so does Zig's compiler,
/// by which cargo-lambda links. Others (gold, mold) would fail, and somebody may have chosen one.
fn linker_takes_lists() -> bool {
    let linker = variable("RUSTC_LINKER");
    let name = Path::new(&linker)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let is_compiler = name.is_empty() || name.contains("cc") || name.contains("clang");
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    is_compiler && !flags.contains("fuse-ld") && !flags.contains("linker") && variable("MOLD_PATH").is_empty()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
