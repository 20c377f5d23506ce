#!/usr/bin/env bash
# Every benchmark for a moment: that they work. What they measure then means nothing, and is not looked at.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
# The types need the rivals' packages. Without them, what is measured is ours.
if bash scripts/setup-bench.sh; then
  tsc -p bench/tsconfig.json
else
  echo 'SKIPPED: npm ci in bench/ failed, so the other pools are not there. Millrace and the floors run alone.' >&2
fi
node bench/run.mjs --smoke "$@"
