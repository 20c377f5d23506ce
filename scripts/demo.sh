#!/usr/bin/env bash
# Runs the main example: three million flights into a database. Arguments go to the example: see --help.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
# In place of the shell: a signal then reaches the example and nobody else.
exec node examples/etl/main.js "$@"
