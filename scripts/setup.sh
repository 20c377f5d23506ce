#!/usr/bin/env bash
# Checks the three required tools (Node, npm, Rust) and installs the development dependencies if they are not up to
# date.
. "$(dirname "$0")/lib.sh"

missing() {
  echo "$1" >&2
  exit 1
}
command -v node > /dev/null || missing 'Node.js 20.19 or newer is needed: https://nodejs.org'
command -v npm > /dev/null || missing 'npm is needed; it comes with Node.js: https://nodejs.org'
command -v cargo > /dev/null || missing 'A Rust toolchain (1.88 or newer) is needed: https://rustup.rs'

node -e "
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) process.exit(0)
  console.error('Node.js 20.19 or newer is needed, this is ' + process.version)
  process.exit(1)
"

# npm ci empties the directory that a link leads to, which belongs to another checkout.
if [ -L node_modules ]; then
  target="$(readlink node_modules)"
  missing "node_modules is a symbolic link to $target, which npm would empty: remove the link, or copy its target."
fi

# npm writes this file when an installation is complete. Without it the installation is missing or half done.
if ! fresh node_modules/.package-lock.json package-lock.json; then
  echo 'Installing the development dependencies'
  npm ci --no-audit --no-fund
  touch node_modules/.package-lock.json
fi
