"""What `cargo lambda build` makes of the functions runs on Amazon Linux 2023."""

import os
import pathlib
import re
import tomllib

import pytest

FUNCTIONS = ["self-invoke", "sqs-api", "sqs-worker", "split-api", "split-worker"]
# https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
GLIBC_OF_AMAZON_LINUX_2023 = (2, 34)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_needs_no_younger_glibc_than_amazon_linux_2023_has(function):
    folder = os.environ.get("LAMBDA_BINARIES")
    if folder is None:
        pytest.skip("LAMBDA_BINARIES names no folder; .ci/run builds one")
    binary = (pathlib.Path(folder) / function / "bootstrap").read_bytes()
    # An ELF file for x86_64 (https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html).
    assert binary[:4] == b"\x7fELF" and int.from_bytes(binary[18:20], "little") == 62
    versions = {(int(major), int(minor)) for major, minor in re.findall(rb"GLIBC_(\d+)\.(\d+)", binary)}
    assert versions and max(versions) <= GLIBC_OF_AMAZON_LINUX_2023, max(versions)


def test_the_workspace_makes_each_setting_that_cargo_lambda_would_make_otherwise():
    # `cargo_release_profile_config` in https://github.com/cargo-lambda/cargo-lambda: what the profile leaves open is set
    # there, and panics abort. On this machine they would unwind, and a task that panics be recorded as failed.
    manifest = tomllib.loads((pathlib.Path(__file__).parents[2] / "Cargo.toml").read_text())
    release = manifest["profile"]["release"]
    assert {"strip", "lto", "codegen-units"} <= release.keys()
    assert release["panic"] == "unwind"
