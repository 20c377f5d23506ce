#!/usr/bin/env bash
# Runs the protocols of the ring under the model checker, in every order that the memory model allows.
. "$(dirname "$0")/lib.sh"
# The flag changes every crate. In the ordinary target directory it would discard the other build each time.
RUSTFLAGS='--cfg loom' cargo test -p millrace-ring --lib --profile loom --target-dir target/loom --no-fail-fast
