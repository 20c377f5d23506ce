#!/usr/bin/env bash
# Tests the crates that need no Node. The binding, millrace-node, links to the process that loads it: __test__ tests it.
. "$(dirname "$0")/lib.sh"
cargo test --workspace --exclude millrace-node --no-fail-fast
# The code that only exists with faults on demand.
cargo test -p millrace-ring -p millrace-pool --lib --features millrace-pool/fault-injection --no-fail-fast -- fault
