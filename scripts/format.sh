#!/usr/bin/env bash
# Formats everything in place.
. "$(dirname "$0")/lib.sh"
bash scripts/setup.sh
has_component fmt && cargo fmt --all
taplo format
prettier --write --log-level warn .
