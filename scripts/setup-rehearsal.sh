#!/usr/bin/env bash
# Installs what only the rehearsal needs: a registry, checks of packages, other runtimes; and on Linux other lines of
# Node, below build/nodes/: scripts/setup-rehearsal.sh [LINE...]
. "$(dirname "$0")/lib.sh"

platform="linux-$(node -p process.arch)"
node_of() {
  echo "build/nodes/$1/node_modules/node-$platform/bin/node"
}

# All at once: most of the time is that of the network.
jobs=()
# npm writes this file when an installation is complete. Without it the installation is missing or half done.
if ! fresh rehearsal/node_modules/.package-lock.json rehearsal/package-lock.json; then
  echo 'Installing the tools of the rehearsal'
  npm ci --prefix rehearsal --ignore-scripts --no-audit --no-fund --loglevel=error &&
    touch rehearsal/node_modules/.package-lock.json &
  jobs+=($!)
fi
if [ "$(uname)" = Linux ]; then
  for line in "$@"; do
    [ -x "$(node_of "$line")" ] && continue
    echo "Installing Node $line"
    npm install --prefix "build/nodes/$line" --no-audit --no-fund --loglevel=error "node-$platform@$line" > /dev/null &
    jobs+=($!)
  done
fi
for job in ${jobs[@]+"${jobs[@]}"}; do
  wait "$job"
done
