#!/usr/bin/env bash
# Kills workers at random while they run the chunks of a `map`: MILLRACE_KILLS times (default: 200) in a million items,
# with chunks of automatic and of fixed sizes. Fails if an item is delivered that did not run, or runs twice.
# MILLRACE_KILLS_SEED repeats a run, as far as the timing of processes allows.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
failed=0
for chunks in \
  '"chunksize": "auto", "task": "sync"' \
  '"chunksize": 1000, "task": "sync"' \
  '"chunksize": 1000, "task": "async"'; do
  seed=${MILLRACE_KILLS_SEED:-$RANDOM}
  input="{ $chunks, \"items\": 1000000, \"kills\": ${MILLRACE_KILLS:-200}, \"seed\": $seed }"
  said=$(node --no-warnings __test__/hosts/map-kills.mjs "$input")
  echo "$input $said"
  case $said in *'"problems":[]'*) ;; *) failed=1 ;; esac
done
exit $failed
