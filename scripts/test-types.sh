#!/usr/bin/env bash
# Checks the public types as a strict user sees them, then all TypeScript, and all JavaScript that JSDoc types.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
tsc -p tsconfig.types.json
tsc -p tsconfig.json
