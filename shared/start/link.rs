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
    if is_linux && variable(SETTING) != "off" && !is_another_linker() {
        let script = Path::new(&variable("OUT_DIR")).join("order.ld");
        fs::write(&script, include_str!("order.ld"))?;
        println!("cargo::rustc-link-arg-bins=-Wl,-T,{}", script.display());
    }
    Ok(())
}

/// Whether somebody has chosen a linker that may not understand the list: GNU's and LLVM's do, by themselves and in Zig's
/// compiler, by which cargo-lambda links.
fn is_another_linker() -> bool {
    let chosen = variable("RUSTC_LINKER") + &variable("CARGO_ENCODED_RUSTFLAGS");
    ["fuse-ld", "gold", "mold", "wild"]
        .iter()
        .any(|name| chosen.contains(name))
        || !variable("MOLD_PATH").is_empty()
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
