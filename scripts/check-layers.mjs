// Fails for an import against the order of the layers of src/. A table in docs/architecture.md has the order, from the
// lowest layer to the highest. A layer is a folder of src/, or a file at the top of src/.
//
// oxlint finds circles of files (import/no-cycle, types included).

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { parseSync } from 'oxc-parser'

const page = readFileSync('docs/architecture.md', 'utf8')
const layers = [...page.matchAll(/^\| `src\/([\w-]+)(?:\/|\.ts)`/gm)].map(([, name]) => name)

/** @param {string} path - Relative to src/. */
const layerOf = (path) => path.split('/')[0].replace(/\.ts$/, '')

let failed = false
/** @param {string} message */
const fail = (message) => {
  console.error(message)
  failed = true
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
for (const name of new Set(files.map(layerOf))) {
  if (!layers.includes(name)) fail(`src/${name} is not in the table of layers in docs/architecture.md`)
}
for (const file of files) {
  const path = `src/${file}`
  const text = readFileSync(path, 'utf8')
  const { staticImports, staticExports, dynamicImports } = parseSync(path, text).module
  const specifiers = [
    ...staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest?.value)),
    ...dynamicImports.map(({ moduleRequest: { start, end } }) => text.slice(start + 1, end - 1)),
  ]
  for (const specifier of specifiers) {
    if (!specifier?.startsWith('.')) continue
    const target = join(dirname(file), specifier).replace(/\.js$/, '.ts')
    if (target.startsWith('..')) continue
    if (layers.indexOf(layerOf(target)) > layers.indexOf(layerOf(file))) {
      fail(`${path} imports src/${target}, which is a layer above it (see docs/architecture.md)`)
    }
  }
}
process.exitCode = failed ? 1 : 0
