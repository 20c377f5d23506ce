#!/usr/bin/env bash
# Runs the benchmarks. Arguments go to bench/run.mjs: npm run bench -- --rounds 3 --cases add,record
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
bash scripts/setup-bench.sh
node bench/run.mjs "$@"
