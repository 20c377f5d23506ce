#!/usr/bin/env bash
# Tries the packed package with the tools that people use, each at a fixed version, and installs and runs the starters.
# Arguments go to ava: scripts/test-tools.sh --match '*webpack*'. Takes some minutes; CI has a leg for it.
. "$(dirname "$0")/lib.sh"
bash scripts/setup.sh
bash scripts/setup-tools.sh
bash scripts/pack.sh build/pack
MILLRACE_TEST_TOOLS="$PWD/build/pack" ava __test__/tools-*.spec.ts "$@"
