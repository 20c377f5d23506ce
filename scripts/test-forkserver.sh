#!/usr/bin/env bash
# Runs the suites that start workers again, with forked workers: scripts/test-forkserver.sh [--all] [AVA OPTION...]
# Without --all, suites that take minutes are left out. MILLRACE_TEST_NODE is the Node that runs them (default: node).
. "$(dirname "$0")/lib.sh"
if [ "$(uname)" != Linux ]; then
  echo 'SKIPPED: there are fork servers on Linux only'
  exit 0
fi
bash scripts/build.sh
bash scripts/build-faults.sh

# Suites about start methods name the start method themselves.
left_out='/(fork[a-z-]*|start-methods)\.spec'
if [ "${1:-}" = --all ]; then
  shift
else
  left_out="$left_out|/(faults|idle|soak|watchdog)\.spec"
fi
suites=()
while read -r suite; do
  suites+=("$suite")
done < <(grep -lE 'makePool|startPool|runHost|startHost' __test__/*.spec.ts | grep -vE "$left_out")

export MILLRACE_TEST_START_METHOD=forkserver
"${MILLRACE_TEST_NODE:-node}" node_modules/ava/entrypoints/cli.mjs "$@" "${suites[@]}"
