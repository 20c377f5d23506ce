#!/usr/bin/env bash
# Feeds two workers with records, of which one in each thousand wedges its worker, for MILLRACE_POISONED_SECONDS
# (default: 600). Prints the throughput of every 30 seconds, and at the end what became of all records.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
export MILLRACE_PRINT=1
node __test__/hosts/poisoned.mjs "{ \"seconds\": ${MILLRACE_POISONED_SECONDS:-600}, \"intervalSeconds\": 30 }"
