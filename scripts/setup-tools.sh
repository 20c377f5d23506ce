#!/usr/bin/env bash
# Installs the tools that only scripts/test-tools.sh tries Millrace with, in an installation of their own.
. "$(dirname "$0")/lib.sh"

# npm writes this file when an installation is complete. Without it the installation is missing or half done.
if ! fresh __test__/tools/node_modules/.package-lock.json __test__/tools/package-lock.json; then
  echo 'Installing the tools into __test__/tools/'
  npm ci --prefix __test__/tools --no-audit --no-fund
  touch __test__/tools/node_modules/.package-lock.json
fi
