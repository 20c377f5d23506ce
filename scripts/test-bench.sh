#!/usr/bin/env bash
# Every benchmark for a moment: that they work. What they measure then means nothing, and is not looked at.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
bash scripts/setup-bench.sh
tsc -p bench/tsconfig.json
node bench/run.mjs --smoke "$@"
