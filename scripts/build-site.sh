#!/usr/bin/env bash
# Builds the site of the documents in build/site. SITE_BASE: the path under which it will be, "/" if not set.
# SITE_REPOSITORY: the address of the repository, for a link.
. "$(dirname "$0")/lib.sh"
bash scripts/setup.sh

if ! fresh site/node_modules/.package-lock.json site/package-lock.json; then
  echo 'Installing what the site is built with into site/'
  npm ci --prefix site --no-audit --no-fund
  touch site/node_modules/.package-lock.json
fi

cd site
export PATH="$PWD/node_modules/.bin:$PATH"
tsc -p .
typedoc --options typedoc.json
node make-pages.mjs
vitepress build .
