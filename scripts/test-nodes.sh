#!/usr/bin/env bash
# Runs the suites with forked workers on other lines of Node: scripts/test-nodes.sh [LINE...]. npm installs the Nodes
# into build/nodes/.
. "$(dirname "$0")/lib.sh"
platform="linux-$(node -p process.arch)"
for line in ${*:-22 24 26}; do
  npm install --prefix "build/nodes/$line" --no-audit --no-fund "node-$platform@$line"
  export MILLRACE_TEST_NODE="$PWD/build/nodes/$line/node_modules/node-$platform/bin/node"
  echo "Node $("$MILLRACE_TEST_NODE" --version)"
  bash scripts/test-forkserver.sh
done
