#!/usr/bin/env bash
# Packs the package as users install it, with the binary of this machine as a package beside: scripts/pack.sh DIR
# makes DIR/millrace.tgz and DIR/binding.tgz.
. "$(dirname "$0")/lib.sh"
bash scripts/build.sh
mkdir -p "$1"
folder="$(cd "$1" && pwd)"

npm pack --silent --ignore-scripts --pack-destination "$folder" > /dev/null
mv "$folder"/millrace-[0-9]*.tgz "$folder/millrace.tgz"

rm -rf "$folder/binding"
mkdir "$folder/binding"
cp native/millrace.*.node "$folder/binding/"
node -e "
  const { name, version, license, napi } = require('./package.json')
  const [main] = require('node:fs').readdirSync(process.argv[1])
  const target = main.split('.').at(-2)
  const manifest = { name: napi.packageName + '-' + target, version, license, main, files: [main] }
  require('node:fs').writeFileSync(process.argv[1] + '/package.json', JSON.stringify(manifest))
" "$folder/binding"
npm pack --silent --pack-destination "$folder" "$folder/binding" > /dev/null
mv "$folder"/millrace-binding-*.tgz "$folder/binding.tgz"
rm -rf "$folder/binding"
