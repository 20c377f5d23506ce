#!/usr/bin/env bash
# TypeScript → dist/, in a few files instead of some seventy: a worker's start is mostly the loading of modules. And the
# declarations rolled up into the public ./index.d.ts.
. "$(dirname "$0")/lib.sh"

stamp=dist/.stamp
if [ -e index.d.ts ] &&
  fresh "$stamp" src native/binding.d.cts scripts/build-js.sh tsconfig.json tsconfig.build.json api-extractor.json \
    package-lock.json; then
  exit 0
fi

echo 'Compiling src'
rm -f "$stamp"
mkdir -p build
rm -rf build/js
# Taken before the compiler reads: what is edited meanwhile is newer than the stamp, what was not written anew is left
# over from an earlier build. (Emptying dist/ first would pull it from under whoever is using it.)
touch build/js.started
tsc -p tsconfig.build.json
# What both entries need is in a chunk beside index.js, where `import.meta.url` still leads to native/ and to the
# worker's entry.
esbuild build/js/index.js build/js/worker/main.js build/js/start/server/main.js \
  --bundle --splitting --format=esm --platform=node --target=node20 --packages=external \
  --outbase=build/js --outdir=dist --log-level=warning
find dist -type f ! -newer build/js.started -delete

log=build/api-extractor.log
if ! api-extractor run --local > "$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
mv build/js.started "$stamp"
