#!/usr/bin/env bash
# Publishes the packages in npm/, then the main package. Arguments go to `npm publish`. Can be repeated after a failure:
# packages that are published already are left out.
. "$(dirname "$0")/lib.sh"
node scripts/check-release.mjs

# npm takes a token from a file only. The file has the name of the variable, and npm puts the value in its place.
if [ -n "${NODE_AUTH_TOKEN:-}" ]; then
  NPM_CONFIG_USERCONFIG="$(mktemp)"
  export NPM_CONFIG_USERCONFIG
  trap 'rm -f "$NPM_CONFIG_USERCONFIG"' EXIT
  registry="$(npm config get registry)"
  # shellcheck disable=SC2016 # npm reads the variable.
  echo "${registry#*:}"':_authToken=${NODE_AUTH_TOKEN}' > "$NPM_CONFIG_USERCONFIG"
fi

for package in npm/*/ ./; do
  id="$(node -p "const { name, version } = require('$PWD/$package/package.json'); name + '@' + version")"
  if [ -n "$(npm view "$id" version 2> /dev/null)" ]; then
    echo "$id is published already"
  else
    npm publish "./$package" --access public "$@"
  fi
done
