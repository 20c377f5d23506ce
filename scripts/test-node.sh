#!/usr/bin/env bash
# The package on real processes. Arguments go to ava: scripts/test-node.sh __test__/future.spec.ts --match '*cancel*'
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
bash scripts/build-faults.sh
ava "$@"
