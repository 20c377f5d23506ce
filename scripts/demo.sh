#!/usr/bin/env bash
# Runs the main example: 200,000 flights through worker processes.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
node examples/flights/main.js "$@"
