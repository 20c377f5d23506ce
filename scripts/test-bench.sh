#!/usr/bin/env bash
# Runs every benchmark for a moment, to see that it works. The figures mean nothing, and nothing checks them.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
# The types need the packages of the other pools. Without them only Millrace and the floors run.
if bash scripts/setup-bench.sh; then
  tsc -p bench/tsconfig.json
else
  echo 'SKIPPED: npm ci in bench/ failed, so the other pools are not there. Millrace and the floors run alone.' >&2
fi
node bench/run.mjs --smoke "$@"
