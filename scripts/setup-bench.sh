#!/usr/bin/env bash
# Installs what only bench/ needs: the other pools, in an installation of their own.
. "$(dirname "$0")/lib.sh"

# npm writes this file when an installation is complete. Without it the installation is missing or half done.
if ! fresh bench/node_modules/.package-lock.json bench/package-lock.json; then
  echo 'Installing the other pools into bench/'
  npm ci --prefix bench --no-audit --no-fund
  touch bench/node_modules/.package-lock.json
fi
