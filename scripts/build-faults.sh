#!/usr/bin/env bash
# Builds the binding with faults on demand (MILLRACE_FAULT) into build/faults/, beside the plain binding in native/.
# Tests load it by NAPI_RS_NATIVE_LIBRARY_PATH. Returns at once when the binding is up to date.
. "$(dirname "$0")/lib.sh"
export MILLRACE_FEATURES=fault-injection MILLRACE_BINDING=build/faults
bash scripts/build-native.sh
