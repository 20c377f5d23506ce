#!/usr/bin/env bash
# Runs the formatters' checks and the linters of every language here. `npm run format` repairs the formatting.
. "$(dirname "$0")/lib.sh"
bash scripts/setup.sh

failed=''
check() {
  echo "$ $*"
  "$@" || failed="$failed
  $*"
}

has_component fmt && check cargo fmt --all --check
if has_component clippy; then
  check cargo clippy --workspace --exclude millrace-node --all-targets --quiet -- -D warnings
  # Without --all-targets: compiled as a test, the binding exports nothing, and all of it would be dead code.
  check cargo clippy -p millrace-node --quiet -- -D warnings
  check cargo clippy -p millrace-ring -p millrace-pool -p millrace-node --quiet \
    --features millrace-node/fault-injection -- -D warnings
fi
# Module docs may link to private items: their readers work on the source.
RUSTDOCFLAGS='-D warnings -A rustdoc::private_intra_doc_links' \
  check cargo doc --workspace --no-deps --document-private-items --quiet
check taplo format --check
check oxlint --deny-warnings
check node scripts/check-layers.mjs
check node scripts/check-crates.mjs
check node scripts/check-columns.mjs
check node scripts/check-versions.mjs
check node scripts/check-actions.mjs
check prettier --check --log-level warn .

if [ -n "$failed" ]; then
  echo "Failed:$failed" >&2
  exit 1
fi
