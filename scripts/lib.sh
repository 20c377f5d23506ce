# The common start of all scripts here, which source it: strict mode, the root of the repository as working directory,
# the tools of node_modules on the PATH. All scripts here keep to bash 3.2, the version of macOS.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/node_modules/.bin:$PATH"

# fresh STAMP INPUT...: succeeds if nothing below the inputs is newer than the stamp. A removed file shows as a newer
# directory.
fresh() {
  local stamp=$1
  shift
  [ -e "$stamp" ] && [ -z "$(find "$@" -newer "$stamp" -print 2>&1 | head -n 1)" ]
}

# has_component NAME: succeeds if the Rust toolchain has `cargo NAME`. If not, says how to install it. Locally the check
# is then skipped; in CI that is a failure.
has_component() {
  if cargo "$1" --version > /dev/null 2>&1; then
    return 0
  fi
  local component=$1
  [ "$1" = fmt ] && component=rustfmt
  echo "SKIPPED: cargo $1 is not installed; to install it: rustup component add $component" >&2
  if [ -n "${CI:-}" ]; then
    echo 'In CI nothing may be skipped.' >&2
    exit 1
  fi
  return 1
}
