#!/usr/bin/env bash
# The protocols of the ring under the model checker, in every order that the memory model allows.
. "$(dirname "$0")/lib.sh"
# A directory of its own: the flag changes every crate, and would throw the other build away each time.
RUSTFLAGS='--cfg loom' cargo test -p millrace-ring --lib --profile loom --target-dir target/loom --no-fail-fast
