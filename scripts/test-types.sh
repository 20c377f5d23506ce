#!/usr/bin/env bash
# The public types as a strict user sees them, then everything that is written in TypeScript or typed by JSDoc.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
tsc -p tsconfig.types.json
tsc -p tsconfig.json
