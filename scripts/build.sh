#!/usr/bin/env bash
# Builds the native binding and dist/. Each part returns at once when it is up to date.
. "$(dirname "$0")/lib.sh"
bash scripts/setup.sh
bash scripts/build-native.sh
bash scripts/build-js.sh
