#!/usr/bin/env bash
# Formatters and linters of every language here. `npm run format` mends what a formatter complains about.
. "$(dirname "$0")/lib.sh"
bash scripts/setup.sh

failed=''
check() {
  echo "$ $*"
  "$@" || failed="$failed
  $*"
}

has_component fmt && check cargo fmt --all --check
has_component clippy && check cargo clippy --workspace --all-targets --quiet -- -D warnings
RUSTDOCFLAGS='-D warnings' check cargo doc --workspace --no-deps --document-private-items --quiet
check taplo format --check
check oxlint --deny-warnings
check prettier --check --log-level warn .

if [ -n "$failed" ]; then
  echo "Failed:$failed" >&2
  exit 1
fi
