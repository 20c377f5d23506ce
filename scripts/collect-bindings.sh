#!/usr/bin/env bash
# scripts/collect-bindings.sh DIR: makes the package of each platform, in npm/, of the binaries below DIR, and has the
# main package depend on exactly these.
. "$(dirname "$0")/lib.sh"
rm -rf npm
napi create-npm-dirs
napi artifacts --output-dir "$1"
napi prepublish --tag-style npm --no-gh-release --skip-optional-publish
node scripts/check-release.mjs
