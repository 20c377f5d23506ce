#!/usr/bin/env bash
# The crates without Node. millrace-node links against the process that loads it: the tests in __test__ are its tests.
. "$(dirname "$0")/lib.sh"
cargo test --workspace --exclude millrace-node --no-fail-fast
