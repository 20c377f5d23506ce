// Fails for a circle of files in a crate, and for a path against the order of the layers of crates/pool. The order is
// told once: a table in crates/pool/src/lib.rs lists the layers from the lowest to the highest. (Cargo itself keeps the
// crates in order.)

import { readdirSync, readFileSync } from 'node:fs'

/** Modules that look at everything by nature: tests and models. */
const NOT_LAYERED = /(?:^|::)(?:tests|models)(?:::|$)/

/** @typedef {Map<string, string>} Modules - The text of each file by its module path. That of the root is ''. */

/**
 * @param {string} src
 * @returns {Modules}
 */
function modulesOf(src) {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.rs'))
  return new Map(
    files.map((file) => [
      file
        .replace(/\.rs$/, '')
        .replace(/(?:^|\/)(?:mod|lib)$/, '')
        .replaceAll('/', '::'),
      readFileSync(`${src}/${file}`, 'utf8')
        .replace(/\/\/.*$/gm, '')
        .replace(/"(?:\\.|[^"\\])*"/g, '""')
        .replace(/#\[cfg\((?:all\()?test\b[^\]]*\]\s*mod \w+ \{[\s\S]*/, '')
        // To a module inside of a file the file is `super`.
        .replace(/^mod \w+ \{[\s\S]*?^\}/gm, (inner) => inner.replaceAll('super::', 'self::')),
    ]),
  )
}

/**
 * `a::{b, c::{d, e}}` as `a::b`, `a::c::d`, `a::c::e`.
 *
 * @param {string} tree
 * @returns {string[]}
 */
function expand(tree) {
  const group = /^([^{]*)\{([\s\S]*)\}$/.exec(tree.trim())
  if (group === null) return [tree.trim()]
  const [, prefix = '', body = ''] = group
  const members = body.match(/(?:[^,{}]|\{(?:[^{}]|\{[^{}]*\})*\})+/g) ?? []
  return members.flatMap((member) => expand(member).map((path) => prefix + path))
}

/**
 * The module that a path of the crate leads to, or into.
 *
 * @param {Modules} modules
 * @param {string} here
 * @param {string} path
 */
function resolve(modules, here, path) {
  const [first, ...rest] = path.split('::').map((name) => name.trim())
  let base = here === '' ? [] : here.split('::')
  if (first === 'crate') base = []
  else if (first === 'super') base.pop()
  else if (first !== 'self') return undefined
  for (const name of rest) {
    if (name === 'super') base.pop()
    else if (modules.has([...base, name].join('::'))) base.push(name)
    else break
  }
  return base.join('::')
}

/**
 * @param {Modules} modules
 * @returns {Map<string, Set<string>>}
 */
function importsOf(modules) {
  return new Map(
    [...modules]
      .filter(([here]) => !NOT_LAYERED.test(here))
      .map(([here, text]) => {
        const uses = [...text.matchAll(/\buse\s+([^;]+);/g)].flatMap(([, tree = '']) => expand(tree))
        const inline = text.replace(/\buse\s+[^;]+;/g, '').match(/\b(?:crate|super|self)(?:::\w+)+/g) ?? []
        const targets = [...uses, ...inline].map((path) => resolve(modules, here, path))
        return [here, new Set(targets.flatMap((target) => (target === undefined || target === here ? [] : [target])))]
      }),
  )
}

/**
 * @param {Map<string, Set<string>>} imports
 * @returns {string[] | undefined} The files of one circle.
 */
function circle(imports) {
  /** @type {Set<string>} */
  const done = new Set()
  /**
   * @param {string} name
   * @param {string[]} path
   * @returns {string[] | undefined}
   */
  const visit = (name, path) => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (done.has(name)) return undefined
    for (const target of imports.get(name) ?? []) {
      const found = visit(target, [...path, name])
      if (found !== undefined) return found
    }
    done.add(name)
    return undefined
  }
  for (const name of imports.keys()) {
    const found = visit(name, [])
    if (found !== undefined) return found
  }
  return undefined
}

const failures = readdirSync('crates').flatMap((crate) => {
  const src = `crates/${crate}/src`
  if (!readdirSync(`crates/${crate}`).includes('src')) return []
  const imports = importsOf(modulesOf(src))
  const found = circle(imports)
  const problems = found === undefined ? [] : [`${src}: a circle: ${found.map((name) => name || 'lib').join(' → ')}`]
  if (crate !== 'pool') return problems
  const rows = [...readFileSync(`${src}/lib.rs`, 'utf8').matchAll(/^\/\/! \| (`\w+`(?: `\w+`)*) \|/gm)]
  /** @param {string} module */
  const layerOf = (module) => rows.findIndex(([, names]) => names?.includes(`\`${module.split('::')[0]}\``))
  for (const [here, targets] of imports) {
    if (here === '') continue
    if (layerOf(here) < 0) problems.push(`${src}: ${here} is in no layer of the table in lib.rs`)
    for (const target of targets) {
      if (target === '') problems.push(`${src}: ${here} imports from lib.rs, which is above all layers`)
      else if (layerOf(target) > layerOf(here)) problems.push(`${src}: ${here} imports ${target}, a layer above it`)
    }
  }
  return problems
})
for (const problem of failures) console.error(problem)
process.exitCode = failures.length > 0 ? 1 : 0
