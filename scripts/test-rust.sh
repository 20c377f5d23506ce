#!/usr/bin/env bash
# The crates without Node. millrace-node links against the process that loads it: the tests in __test__ are its tests.
. "$(dirname "$0")/lib.sh"
cargo test --workspace --exclude millrace-node --no-fail-fast
# What only exists with faults on demand.
cargo test -p millrace-ring -p millrace-pool --lib --features millrace-pool/fault-injection --no-fail-fast -- fault
