#!/usr/bin/env bash
# Publishes the packages in npm/, then the main package. Can be repeated after a failure: packages that are published
# already are left out.
. "$(dirname "$0")/lib.sh"
node scripts/check-release.mjs
for package in npm/*/ ./; do
  id="$(node -p "const { name, version } = require('$PWD/$package/package.json'); name + '@' + version")"
  if [ -n "$(npm view "$id" version 2> /dev/null)" ]; then
    echo "$id is published already"
  else
    npm publish "./$package" --access public
  fi
done
