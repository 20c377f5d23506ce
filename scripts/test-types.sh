#!/usr/bin/env bash
# Checks the public types as a strict user sees them, then all TypeScript, and all JavaScript that JSDoc types. With
# --all the public types also with every supported TypeScript, which takes minutes.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
tsc -p tsconfig.types.json
tsc -p tsconfig.json
tsc -p examples/starters/tsconfig.json
if [ "${1:-}" = --all ]; then
  bash scripts/setup-tools.sh
  node scripts/check-types.mjs
fi
