#!/usr/bin/env bash
# Runs the soak, random calls with random kills, for MILLRACE_SOAK_SECONDS (default: 300). MILLRACE_SOAK_SEED repeats a
# run, as far as the timing of processes allows.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
seed=${MILLRACE_SOAK_SEED:+, \"seed\": $MILLRACE_SOAK_SEED}
node --expose-gc __test__/hosts/soak.mjs "{ \"seconds\": ${MILLRACE_SOAK_SECONDS:-300}$seed }"
