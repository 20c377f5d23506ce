#!/usr/bin/env bash
# Rehearses a release: the packages are published to a registry on this machine, installed in an empty project, and used
# there, on Linux by each supported line of Node. Arguments go to ava.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
if [ "$(uname)" = Linux ]; then
  # The line of the running Node is tried in any case.
  running="$(node -p 'process.versions.node.split(".")[0]')"
  lines=" 20 22 24 26 "
  export MILLRACE_REHEARSAL_LINES="${lines/ $running / }" MILLRACE_REHEARSAL_OLD='18 20.10'
fi
# shellcheck disable=SC2086 # Each line is a word.
bash scripts/setup-rehearsal.sh ${MILLRACE_REHEARSAL_LINES:-} ${MILLRACE_REHEARSAL_OLD:-}
ava --config rehearsal/ava.config.mjs "$@"
