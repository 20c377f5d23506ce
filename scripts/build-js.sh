#!/usr/bin/env bash
# Builds dist/ from TypeScript, and rolls the declarations of each entry of the package up into one public file:
# ./index.d.ts and ./streams.d.ts. dist/ has a few files in place of some hundred modules: most of what a worker's start
# takes beyond Node's own is the loading of modules. Code shares a file with what the same entries need: so the host
# imports the worker's code, too, which it runs only in its forks.
. "$(dirname "$0")/lib.sh"

stamp=dist/.stamp
if [ -e index.d.ts ] && [ -e streams.d.ts ] &&
  fresh "$stamp" src native/binding.d.cts scripts/build-js.sh tsconfig.json tsconfig.build.json api-extractor.json \
    api-extractor.streams.json package-lock.json; then
  exit 0
fi

echo 'Compiling src'
rm -f "$stamp"
mkdir -p build
rm -rf build/js
# Touched before the compiler reads: a source edited meanwhile is newer than the stamp. A file of dist/ that is not
# newer is left over from an earlier build. (Emptying dist/ first would break a process that uses it.)
touch build/js.started
tsc -p tsconfig.build.json
# Code that several entries need goes into chunks beside index.js, where `import.meta.url` still leads to native/ and to
# the entries.
esbuild build/js/index.js build/js/streams/index.js build/js/worker/main.js build/js/start/server/main.js \
  --bundle --splitting --format=esm --platform=node --target=node20 --packages=external \
  --outbase=build/js --outdir=dist --log-level=warning
find dist -type f ! -newer build/js.started -delete

log=build/api-extractor.log
for config in api-extractor.json api-extractor.streams.json; do
  if ! api-extractor run --local --config "$config" > "$log" 2>&1; then
    cat "$log" >&2
    exit 1
  fi
done
mv build/js.started "$stamp"
