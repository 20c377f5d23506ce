#!/usr/bin/env bash
# Rust → native/millrace.<platform>.node, with its loader native/binding.cjs and types native/binding.d.cts.
. "$(dirname "$0")/lib.sh"

# MILLRACE_FEATURES: cargo features of crates/node (`npm run build:faults` sets it). A release has none.
features=${MILLRACE_FEATURES:-}

# The stamp says what the binary was built with: a changed toolchain or another machine's checkout builds anew.
stamp=target/native.stamp
toolchain="$(rustc -vV) $(node -p 'process.platform + process.arch') $features"
if compgen -G 'native/millrace.*.node' > /dev/null && [ -e native/binding.cjs ] && [ -e native/binding.d.cts ] &&
  [ "$(cat "$stamp" 2> /dev/null)" = "$toolchain" ] && fresh "$stamp" Cargo.toml Cargo.lock crates package.json; then
  exit 0
fi

echo 'Building the native binding'
rm -f "$stamp"
# Built aside and moved: a process that loads the binding meanwhile finds the old one, and none a file half written.
rm -rf build/native
napi build --platform --release -p millrace-node --manifest-path Cargo.toml \
  --js binding.cjs --dts binding.d.cts -o build/native ${features:+--features "$features"} "$@"
mkdir -p native
for built in build/native/*; do
  mv -f "$built" native/
done
echo "$toolchain" > "$stamp"
