#!/usr/bin/env bash
# Builds the site of the documents, and looks at it in a real browser. Screenshots go to build/screenshots.
. "$(dirname "$0")/lib.sh"
bash scripts/build-site.sh

find_chromium() {
  command -v chromium || command -v chromium-browser || command -v google-chrome
}
if ! find_chromium > /dev/null && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo 'Installing Chromium'
  { apt-get update && apt-get install -y --no-install-recommends chromium; } > /dev/null || echo 'That failed' >&2
fi
if ! CHROMIUM=$(find_chromium); then
  echo 'SKIPPED: the site is built, and not looked at: there is no Chromium, and this script may not install one.' >&2
  echo 'To install it: sudo apt-get install chromium' >&2
  # The workflows have one.
  [ -z "${GITHUB_ACTIONS:-}" ]
  exit
fi
export CHROMIUM
node --test --test-reporter=tap site/site.test.mjs
