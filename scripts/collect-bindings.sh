#!/usr/bin/env bash
# Makes the package of each platform, in npm/, from the binaries below DIR, and the main package's dependencies on them:
# scripts/collect-bindings.sh DIR
. "$(dirname "$0")/lib.sh"
rm -rf npm
napi create-npm-dirs
napi artifacts --output-dir "$1"
napi prepublish --tag-style npm --no-gh-release --skip-optional-publish
node scripts/complete-packages.mjs
node scripts/check-release.mjs --unreleased
