#!/usr/bin/env bash
# Builds native/millrace.<platform>.node from Rust, with the types native/binding.d.cts. What loads the binary is
# src/native/.
. "$(dirname "$0")/lib.sh"

# MILLRACE_FEATURES: cargo features of crates/node (`npm run build:faults` sets it). A release has none.
features=${MILLRACE_FEATURES:-}
# MILLRACE_BINDING: the directory of the binding (scripts/build-faults.sh sets it).
binding=${MILLRACE_BINDING:-native}

# The stamp names toolchain, platform and features: if one of these changes, the binary is built anew.
stamp=target/${binding//\//-}.stamp
toolchain="$(rustc -vV) $(node -p 'process.platform + process.arch') $features"
if compgen -G "$binding/millrace.*.node" > /dev/null &&
  [ -e "$binding/binding.d.cts" ] && [ "$(cat "$stamp" 2> /dev/null)" = "$toolchain" ] &&
  fresh "$stamp" Cargo.toml Cargo.lock crates package.json; then
  exit 0
fi

echo "Building the native binding${features:+ with $features}"
rm -f "$stamp"
# The build goes to another directory and is moved: a process that loads the binding meanwhile finds the old one, never
# half a file. A build with features has a target directory of its own: cargo gives both builds the same name, and two
# builds at once must not mix them up.
aside=build/aside-${binding//\//-}
rm -rf "$aside"
# Without const enums, those of strings are unions of literals in the types, and nothing at run time.
napi build --platform --release -p millrace-node --manifest-path Cargo.toml --no-const-enum \
  --no-js --dts binding.d.cts -o "$aside" ${features:+--features "$features" --target-dir target/features} "$@"
mkdir -p "$binding"
for built in "$aside"/*; do
  mv -f "$built" "$binding/"
done
echo "$toolchain" > "$stamp"
