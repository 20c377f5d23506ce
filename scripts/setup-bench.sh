#!/usr/bin/env bash
# What bench/ needs apart from the package: the other pools, in an installation of their own.
. "$(dirname "$0")/lib.sh"

# npm writes the second file when an installation is complete: without it there is none, or half of one.
if ! fresh bench/node_modules/.package-lock.json bench/package-lock.json; then
  echo 'Installing the other pools into bench/'
  npm ci --prefix bench --no-audit --no-fund
  touch bench/node_modules/.package-lock.json
fi
