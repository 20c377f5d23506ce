#!/usr/bin/env bash
# Builds the native binding and dist/. Both parts return at once when they have nothing to do.
. "$(dirname "$0")/lib.sh"
bash scripts/setup.sh
bash scripts/build-native.sh
bash scripts/build-js.sh
