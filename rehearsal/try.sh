#!/bin/sh
# Installs the packed package, and that of a platform, into an empty folder, and runs the program:
# sh rehearsal/try.sh DIR PLATFORM
# For containers: it needs Node and npm, and neither bash nor a compiler.
set -eu
packages=$(cd "$1" && pwd)
program=$(cd "$(dirname "$0")/program" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$program"/*.mjs "$folder"
cd "$folder"
echo '{ "name": "try", "private": true }' > package.json
npm install --no-audit --no-fund --no-package-lock \
  "$packages"/millrace-[0-9]*.tgz "$packages"/millrace-binding-"$2"-*.tgz
node main.mjs
