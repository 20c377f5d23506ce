#!/usr/bin/env bash
# The binding with faults on demand (MILLRACE_FAULT) → build/faults/, beside the plain one in native/. Tests have it
# loaded in place of that by NAPI_RS_NATIVE_LIBRARY_PATH. Returns at once when it has nothing to do.
. "$(dirname "$0")/lib.sh"
export MILLRACE_FEATURES=fault-injection MILLRACE_BINDING=build/faults
bash scripts/build-native.sh
