#!/usr/bin/env bash
# TypeScript → dist/, and its declarations rolled up into the public ./index.d.ts.
. "$(dirname "$0")/lib.sh"

stamp=dist/.stamp
if [ -e index.d.ts ] &&
  fresh "$stamp" src native/binding.d.cts tsconfig.json tsconfig.build.json api-extractor.json package-lock.json; then
  exit 0
fi

echo 'Compiling src'
rm -f "$stamp"
mkdir -p build
# Taken before the compiler reads: what is edited meanwhile is newer than the stamp, what it did not write is left over
# from a source that is gone. (Emptying dist/ first would pull it from under whoever is using it.)
touch build/js.started
tsc -p tsconfig.build.json
find dist -type f ! -newer build/js.started -delete

log=build/api-extractor.log
if ! api-extractor run --local > "$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
mv build/js.started "$stamp"
