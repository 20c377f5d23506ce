// Functions that build tools have rewritten, as tasks: what the tools insert works in a worker, or the error says so.

import { execFileSync } from 'node:child_process'
import { test } from './helpers/leaks.js'
import { failureOf, makePool } from './helpers/pool.js'

/** Functions in every form into which esbuild inserts its helper. Each returns the names that it sees. */
const NAMED = `
  export const arrow = (n) => { const inner = () => n; return [inner.name, inner()] }
  export const nested = (n) => { const outer = () => { const inner = () => n; return inner.name }; return outer() }
  export function declared(n) { function inner() { return n } return [inner.name, inner()] }
  export async function asynchronous(n) { const inner = async () => n; return [inner.name, await inner()] }
  export const byDefault = (n, inner = () => n) => [inner.name, inner()]
  export const inClass = (n) => {
    class Inner { static made = () => n; method() { const local = () => n; return local.name } }
    return [Inner.name, new Inner().method(), Inner.made.name]
  }
  export const inOldClass = (n) => {
    class Inner { method() { const local = () => n; return [new.target, local.name] } }
    return [Inner.name, new Inner().method()]
  }
  export const expressions = (n) => { const A = class {}; const f = function () {}; return [A.name, f.name] }
  export const generator = (n) => { function* inner() { yield n } return [inner.name, ...inner()] }
  export const { method } = { method(n) { const inner = () => n; return [inner.name, inner()] } }
  export const recursive = function again(n) { const inner = () => n; return n > 0 ? again(0) : inner.name }
  export const keepsThis = function (n) { const inner = () => n; return [this === undefined, inner.name] }
  export const noArguments = (n) => { const inner = () => n; return [typeof arguments, inner.name] }
  export const noGlobal = (n) => { const inner = () => n; return ['__name' in globalThis, inner.name] }
  export const own = (n) => { const __name = (text) => text + n; const f = () => __name('n'); return [f.name, f()] }
`

const styles: Record<string, string[]> = {
  'for Node': ['--target=node20'],
  'for old engines': ['--target=es2020'],
  'without spaces': ['--target=node20', '--minify-whitespace', '--minify-syntax'],
}

for (const [title, options] of Object.entries(styles)) {
  test(`functions whose names esbuild keeps run in a worker, when it builds ${title}`, async (t) => {
    // The program and not the library, which leaves a process behind.
    const args = ['--no-install', 'esbuild', '--loader=js', '--keep-names', '--format=iife', '--global-name=built']
    const code = execFileSync('npx', [...args, ...options], { input: NAMED, encoding: 'utf8' })
    t.regex(code, /__name\d*\(/)
    // Not imported: the loader of the tests would rewrite the functions once more.
    const built = new Function(`${code}\nreturn built`)() as Record<string, (n: number) => unknown>
    const pool = makePool(t, { maxWorkers: 1 })
    const tasks = Object.entries(built).filter(([name]) => title !== 'for old engines' || name !== 'inClass')
    for (const [name, task] of tasks) {
      const expected = name === 'noArguments' ? ['undefined', 'inner'] : await task(3)
      t.deepEqual(await pool.submit(task, 3), expected, name)
    }
    t.deepEqual(await pool.submit(built.noGlobal!, 3), [false, 'inner'])
  })
}

/** Names that tools insert: the names themselves vary from program to program. */
const INSERTED = [
  'cov_1abc9',
  '__cov_abc123',
  'stryMutAct_9fa48',
  '__publicField',
  '__async',
  '__decorateClass',
  '__awaiter',
  '__spreadArray',
  'tslib_1',
  'node_path_1',
  'import_node_path',
  'import_meta',
  '_asyncToGenerator',
  '_define_property',
  '_interopRequireDefault',
  '_lodash',
  '_load',
  'regeneratorRuntime',
  '__webpack_require__',
  'node_path__WEBPACK_IMPORTED_MODULE_0__',
  '__vite_ssr_import_0__',
  '__vi_import_0__',
  '__TURBOPACK__imported__module__1',
  '$1a2b3c$export$4d',
  'helper$1',
  'require$$0',
]

test('a name that a build tool has inserted is explained, with the name and defineTasks', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const name of INSERTED) {
    const error = (await failureOf(pool.submit(new Function(`return ${name}.x`) as () => unknown))) as Error
    t.true(error instanceof ReferenceError, String(error))
    t.regex(error.message, /build or coverage tool/, name)
    t.true(error.message.startsWith(`${name} is not defined`) && error.message.includes('defineTasks'), error.message)
  }
})

test('names of CommonJS modules are explained: the function belongs to no module', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const name of ['require', 'module', 'exports', '__dirname', '__filename']) {
    const error = (await failureOf(pool.submit(new Function(`return ${name}.x`) as () => unknown))) as Error
    t.regex(error.message, /belongs to no module/, name)
    t.true(error.message.includes(`no '${name}'`) && error.message.includes('defineTasks'), error.message)
  }
})

test('import.meta in a function is a TypeError at submit, which says so and names defineTasks', (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  t.throws(() => pool.submit(() => import.meta.url), { instanceOf: TypeError, message: /import\.meta.*defineTasks/ })
})

test('other names are explained as what a closure lacks, and other ReferenceErrors are left alone', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  for (const name of ['captured', 'camelCase', 'snake_case', '$', 'CONSTANT', 'été']) {
    const error = (await failureOf(pool.submit(new Function(`return ${name}.x`) as () => unknown))) as Error
    t.regex(error.message, /closures/, name)
    t.notRegex(error.message, /tool|module and has/, name)
  }
  const early = new Function('return later; let later') as () => unknown
  t.notRegex(((await failureOf(pool.submit(early))) as Error).message, /closures/)
})

test('a missing name is explained in chunks, in initializers, and after the call has returned a promise', async (t) => {
  const lacking = new Function('return cov_1abc9.x') as () => unknown
  const explained = { instanceOf: ReferenceError, message: /build or coverage tool/ }
  const pool = makePool(t, { maxWorkers: 1 })
  const iterator = pool.map(lacking as (n: number) => unknown, [1, 2, 3], { chunksize: 3 })
  for (let item = 0; item < 3; item++) await t.throwsAsync(Promise.resolve(iterator.next()), explained)
  const late = new Function('return new Promise(() => setTimeout(() => cov_1abc9.x, 1))') as () => Promise<never>
  t.regex(((await failureOf(pool.submit(late))) as Error).message, /build or coverage tool/)
  const broken = makePool(t, { maxWorkers: 1, initializer: lacking })
  t.regex(((await failureOf(broken.submit(() => 1))) as Error).message, /build or coverage tool/)
})
