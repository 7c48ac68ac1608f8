//! What is uploaded: the functions' binaries, and how large they are in a deployment package.

use std::fs;
use std::io::{self, Write};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::results::Binary;
use crate::variant::Variant;
use crate::workspace;

/// The binaries of a variant, as Cargo has built them.
///
/// # Errors
/// Fails when one of them is not there.
pub fn binaries(variant: Variant) -> Result<Vec<Binary>> {
    let folder = workspace::target_directory()?.join("release");
    let binary = |name: &&str| {
        let path = folder.join(name);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Binary {
            name: (*name).to_owned(),
            bytes: bytes.len() as u64,
            zipped_bytes: deflated(&bytes).context("cannot compress")?,
        })
    };
    variant.binaries().iter().map(binary).collect()
}

/// The size of a zip file's entry with this content: a zip file deflates, and adds some hundred bytes.
fn deflated(bytes: &[u8]) -> io::Result<u64> {
    let mut encoder = DeflateEncoder::new(Counter(0), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.0)
}

/// Counts what is written and keeps none of it.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_is_compressed_and_what_does_not_is_not() {
        assert!(deflated(&[7; 10_000]).unwrap() < 1_000);
        let mut state: u32 = 1;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        })
        .take(10_000)
        .collect();
        assert!(deflated(&noise).unwrap() > 9_000);
    }
}
