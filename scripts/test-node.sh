#!/usr/bin/env bash
# Tests the package on real processes. Arguments go to ava:
# scripts/test-node.sh __test__/wait.spec.ts --match '*timeout*'
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
bash scripts/build-faults.sh
ava "$@"
