// Tasks by reference: to a definition, or to an export of a module; and modules that do not load.

import { execFile } from 'node:child_process'
import { mkdirSync, realpathSync, utimesSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { defineTasks, importTasks, MillraceError, TaskLoadError } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { getHidden } from './fixtures/unexported.mjs'
import { test } from './helpers/leaks.js'
import { workersOf } from './helpers/processes.mjs'
import { failureOf, Log, makePool, tempDirectory } from './helpers/pool.js'

const fixture = (name: string): URL => new URL(`./fixtures/${name}`, import.meta.url)
type Unexported = typeof import('./fixtures/unexported.mjs')

// ---- defineTasks ----------------------------------------------------------------------------------------------------

test('defined functions stay callable here, and travel by reference', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  t.is(tasks.add(1, 2), 3)
  t.not(tasks.pid(), await pool.submit(tasks.pid))
})

test('a defined function need not be exported', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  t.is(await pool.submit(getHidden(), 'x'), 'hidden x')
})

test('a module keeps its state between calls in one worker', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  t.deepEqual([await pool.submit(tasks.count), await pool.submit(tasks.count)], [1, 2])
})

test('defineTasks() refuses what is no URL and what is no function, by name', (t) => {
  const cases: [() => unknown, RegExp][] = [
    [() => defineTasks('not a url', {}), /"url"/],
    [() => defineTasks(undefined as never, {}), /"url"/],
    [() => defineTasks(import.meta.url, null as never), /"tasks"/],
    [() => defineTasks(import.meta.url, { parse: 7 } as never), /"tasks\.parse"/],
  ]
  for (const [call, message] of cases) {
    const error = t.throws(call, { instanceOf: TypeError, message })
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
  }
})

test('defineTasks() takes the path of a CommonJS module, and names __filename where there is no URL', async (t) => {
  const path = join(tempDirectory(t), 'a #1.cjs')
  const entry = JSON.stringify(pathToFileURL(join(process.cwd(), 'dist/index.js')).href)
  writeFileSync(
    path,
    `exports.loaded = import(${entry}).then(({ defineTasks }) => { exports.tasks =
    defineTasks(__filename, { half: (n) => n / 2 }) })
    exports.half = exports.loaded.then(() => exports.tasks.half)`,
  )
  const { tasks: defined } = (await importCommon(path)) as { tasks: { half: (n: number) => number } }
  const pool = makePool(t, { maxWorkers: 1 })
  t.is(defined.half(4), 2)
  t.is(await pool.submit(defined.half, 8), 4)
  const refusal = t.throws(() => defineTasks(undefined as never, {}), { instanceOf: TypeError })
  t.regex(refusal!.message, /import\.meta\.url, or __filename.*--define:import\.meta\.url=__filename/)
  t.throws(() => defineTasks('relative/path.js', {}), { instanceOf: TypeError })
})

async function importCommon(path: string): Promise<unknown> {
  const { default: exports } = await import(pathToFileURL(path).href)
  await exports.loaded
  return exports
}

test('a task module whose file does not exist: the error says so, and what a bundler has done', async (t) => {
  const url = pathToFileURL(join(tempDirectory(t), 'absent.mjs'))
  const { task } = defineTasks(url, { task: () => 1 })
  const pool = makePool(t, { maxWorkers: 1 })
  const error = (await failureOf(pool.submit(task))) as Error
  t.true(error instanceof TaskLoadError)
  t.regex(error.message, /There is no such file\..*bundle.*importMeta/)
  const failing = pathToFileURL(join(tempDirectory(t), 'failing.mjs'))
  writeFileSync(failing, "throw new Error('at load')")
  const other = (await failureOf(pool.submit(defineTasks(failing, { task: () => 1 }).task))) as Error
  t.regex(other.message, /at load$/)
})

test('one function under two names is two tasks', async (t) => {
  const url = pathToFileURL(join(tempDirectory(t), 'absent.mjs'))
  const shared = (): number => 1
  const { a } = defineTasks(url, { a: shared })
  const { b } = defineTasks(url, { b: shared })
  t.not(a, b)
  const pool = makePool(t, { maxWorkers: 1 })
  const [first, second] = await Promise.all([failureOf(pool.submit(a)), failureOf(pool.submit(b))])
  t.true(first instanceof TaskLoadError && second instanceof TaskLoadError)
})

// ---- importTasks ----------------------------------------------------------------------------------------------------

test('importTasks() by URL object, URL text, absolute path, and path from the working directory', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const url = fixture('unexported.mjs')
  const path = relative(process.cwd(), url.pathname)
  for (const specifier of [
    url,
    url.href,
    url.pathname,
    `./${path}`,
    `../${relative(join(process.cwd(), '..'), url.pathname)}`,
  ]) {
    const module = importTasks<Unexported>(specifier)
    t.is(await pool.submit(module.plain, 'x'), 'plain x', String(specifier))
    t.is(await pool.submit(module.default, 'y'), 'default y', String(specifier))
  }
})

test('importTasks() of a package and of a module of Node', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const path = importTasks<typeof import('node:path')>('node:path')
  t.is(await pool.submit(path.join, 'a', 'b'), join('a', 'b'))
  const bare = importTasks<typeof import('node:path')>('path')
  t.is(await pool.submit(bare.basename, '/a/b.txt', '.txt'), 'b')
  const fastCheck = importTasks<{ sample: () => unknown; hash: (text: string) => number }>('fast-check')
  t.is(typeof (await pool.submit(fastCheck.hash, 'text')), 'number')
})

test('importTasks() of a CommonJS module', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const module = importTasks<{ commonTask: (a: number, b: number) => number }>(fixture('scope.cjs'))
  t.is(await pool.submit(module.commonTask, 6, 7), 42)
})

test('whatever function require() of a CommonJS module gives can be called, with its own this', async (t) => {
  const directory = tempDirectory(t)
  const cases: [source: string, name: string, args: unknown[], result: unknown][] = [
    ['module.exports = { n: 5, a() { return this.n }, b: (x) => x }', 'a', [], 5],
    ['const base = { one: () => 1 }; module.exports = { ...base, two: () => 2 }', 'one', [], 1],
    ['module.exports = Object.freeze({ parse: (s) => Number(s) })', 'parse', ['7'], 7],
    ['module.exports = class { static k = 3; static add(x) { return this.k + x } }', 'add', [1], 4],
    ['module.exports = new (class { #k = 4; add(x) { return this.#k + x } })()', 'add', [1], 5],
    ['module.exports = function main(x) { return 2 * x }', 'default', [4], 8],
    ['module.exports = () => 1; module.exports.helper = () => 9', 'helper', [], 9],
    ['Object.defineProperty(exports, "lazy", { get: () => () => 11 })', 'lazy', [], 11],
    ['for (const key of ["e", "f"]) exports[key] = () => key', 'f', [], 'f'],
    ['exports.own = function () { return this === module.exports }', 'own', [], true],
    ['exports.__esModule = true; exports.default = { v: 8, go() { return this.v } }', 'go', [], 8],
    ['exports.__esModule = true; exports.default = () => "inner"', 'default', [], 'inner'],
    ['module.exports = Promise.resolve({ later: () => "later" })', 'later', [], 'later'],
    ['module.exports = new Proxy({}, { get: (_, key) => key === "some" ? () => key : undefined })', 'some', [], 'some'],
  ]
  const pool = makePool(t, { maxWorkers: 1 })
  for (const [i, [source, name, args, result]] of cases.entries()) {
    const path = join(directory, `${i}.cjs`)
    writeFileSync(path, source)
    const module = importTasks<Record<string, (...args: any[]) => unknown>>(path)
    t.is(await pool.submit(module[name]!, ...args), result, source)
  }
})

test('a default export may be an object of functions, or a promise of a function', async (t) => {
  const directory = tempDirectory(t)
  const pool = makePool(t, { maxWorkers: 1 })
  const write = (name: string, source: string): Record<string, (...args: any[]) => unknown> => {
    writeFileSync(join(directory, name), source)
    return importTasks<Record<string, (...args: any[]) => unknown>>(join(directory, name))
  }
  const object = write('a.mjs', 'export default { k: 2, twice(x) { return x * this.k } }; export const one = () => 1')
  t.is(await pool.submit(object.twice!, 4), 8)
  t.is(await pool.submit(object.one!), 1)
  const promised = write(
    'b.mjs',
    'export default Promise.resolve((x) => x + 1); export const f = Promise.resolve(() => 2)',
  )
  t.is(await pool.submit(promised.default!, 1), 2)
  t.is(await pool.submit(promised.f!), 2)
})

test('a name that a module does not export is no function, whatever its objects inherit', async (t) => {
  const path = join(tempDirectory(t), 'some.cjs')
  writeFileSync(path, 'module.exports = { x: 5, get bad() { throw new RangeError("a getter") } }')
  const module = importTasks<Record<string, () => unknown>>(path)
  const pool = makePool(t, { maxWorkers: 1 })
  for (const name of ['absent', 'x', 'toString', 'constructor', '__proto__', 'hasOwnProperty']) {
    const error = (await failureOf(pool.submit(module[name]!))) as Error
    t.true(error instanceof TaskLoadError, name)
    t.true(error.message.includes(`'${name}'`), error.message)
  }
  const error = (await failureOf(pool.submit(module.bad!))) as Error
  t.true(error instanceof TaskLoadError && error.cause instanceof RangeError)
})

test('a path is no URL: its characters stand for themselves', async (t) => {
  const directory = tempDirectory(t)
  const pool = makePool(t, { maxWorkers: 1 })
  for (const name of ['issue #12', 'a?b', '100%25', 'a%', '%2F', 'with space ü', 'new\nline']) {
    const folder = join(directory, name)
    mkdirSync(folder)
    const path = join(folder, 'jobs#1?.mjs')
    writeFileSync(path, 'export const where = () => import.meta.url')
    for (const specifier of [path, `./${relative(process.cwd(), path)}`]) {
      const module = importTasks<{ where: () => string }>(specifier)
      t.is(await pool.submit(module.where), pathToFileURL(path).href, specifier)
    }
  }
  // Where no file has that name, a query is one.
  const plain = join(directory, 'plain.mjs')
  writeFileSync(plain, 'export const where = () => import.meta.url')
  const versioned = importTasks<{ where: () => string }>(`./${relative(process.cwd(), plain)}?v=2`)
  t.is(await pool.submit(versioned.where), `${pathToFileURL(plain).href}?v=2`)
})

test('importTasks() refuses a path of Windows', (t) => {
  for (const path of ['C:\\jobs.mjs', 'c:/jobs.mjs', '.\\jobs.mjs', '..\\jobs.mjs', '\\\\server\\jobs.mjs']) {
    const error = t.throws(() => importTasks(path), { instanceOf: TypeError, message: /"specifier".*path/ })
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_VALUE')
  }
})

test('of a package that has two forms, workers import the one for import', async (t) => {
  const host = `
    const { ProcessPoolExecutor, importTasks } = await import(process.argv[1])
    const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] })
    const sides = {}
    for (const name of process.argv.slice(2)) sides[name] = await pool.submit(importTasks(name).side).catch(String)
    await pool.shutdown()
    console.log(JSON.stringify(sides))`
  const directory = realpathSync(tempDirectory(t))
  const write = (path: string, content: string | object): void => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
  const two = { import: './i.mjs', require: './r.cjs' }
  const files = (root: string): void => {
    write(`${root}i.mjs`, 'export const side = () => "import"')
    write(`${root}r.cjs`, 'exports.side = () => "require"')
  }
  write('package.json', { name: 'me', exports: { './own': two } })
  write('node_modules/dual/package.json', { exports: { '.': two, './nested': { node: two }, './only': './r.cjs' } })
  write('node_modules/sugar/package.json', { exports: [two], main: './r.cjs' })
  write('node_modules/@s/star/package.json', { exports: { './*.js': { import: './*.mjs', default: './r.cjs' } } })
  write('node_modules/last/package.json', { exports: { require: './r.cjs' } })
  write('node_modules/old/package.json', { main: 'r' })
  write('node_modules/old/r.js', 'module.exports = { side() { return "main" } }')
  for (const root of ['', 'node_modules/dual/', 'node_modules/sugar/', 'node_modules/@s/star/', 'node_modules/last/']) {
    files(root)
  }
  const expected = {
    dual: 'import',
    'dual/nested': 'import',
    'dual/only': 'require',
    sugar: 'import',
    '@s/star/i.js': 'import',
    last: 'require',
    old: 'main',
    'me/own': 'import',
  }
  const entry = new URL('../dist/index.js', import.meta.url).href
  const args = ['--input-type=module', '-e', host, entry, ...Object.keys(expected)]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: directory })
  t.deepEqual(JSON.parse(stdout), expected)
})

test('an export that is a defined task under another name is found by its export', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const module = importTasks<{ getHidden: () => unknown }>(fixture('unexported.mjs'))
  // Its result is a function, which cannot travel: this error shows that the task has run.
  t.is(((await failureOf(pool.submit(module.getHidden))) as NodeJS.ErrnoException).code, 'ERR_MILLRACE_SERIALIZATION')
})

test('imported tasks are not loaded here, cannot be called here, and are no promise', async (t) => {
  const module = importTasks<Unexported>(fixture('throws-at-load.mjs'))
  t.throws(() => module.plain('x'), {
    instanceOf: TypeError,
    message: /plain of .*throws-at-load\.mjs is loaded in worker/,
  })
  t.is(module.plain, module.plain)
  t.is(await (module as unknown as Promise<unknown>), module as unknown)
})

test('importTasks() refuses what is no specifier, and what does not resolve', (t) => {
  for (const wrong of [undefined, null, 7, '', {}]) {
    const error = t.throws(() => importTasks(wrong as never), { instanceOf: TypeError, message: /"specifier"/ })
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_TYPE')
  }
  const error = t.throws(() => importTasks('no-such-package-anywhere'))
  t.is((error as NodeJS.ErrnoException).code, 'MODULE_NOT_FOUND')
})

test('a module that is missing, throws, or lacks the export: TaskLoadError with the cause, and the pool is healthy', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const pid = await pool.submit(tasks.pid)
  const missing = importTasks<{ plain: () => void }>(fixture('missing.mjs'))
  const throwing = importTasks<{ plain: () => void }>(fixture('throws-at-load.mjs'))
  const lacking = importTasks<{ absent: () => void; notAFunction: () => void }>(fixture('unexported.mjs'))
  const cases: [task: () => unknown, module: string, message: RegExp, isCause: (cause: unknown) => boolean][] = [
    [
      missing.plain,
      'missing.mjs',
      /could not be loaded/,
      (cause) => (cause as { code?: string }).code === 'ERR_MODULE_NOT_FOUND',
    ],
    [
      throwing.plain,
      'throws-at-load.mjs',
      /could not be loaded: this module does not load/,
      (cause) => cause instanceof RangeError && cause.message === 'this module does not load',
    ],
    [lacking.absent, 'unexported.mjs', /'absent'/, (cause) => cause === undefined],
    [lacking.notAFunction, 'unexported.mjs', /'notAFunction'/, (cause) => cause === undefined],
  ]
  for (const [task, module, message, isCause] of cases) {
    const error = (await failureOf(pool.submit(task))) as TaskLoadError
    t.true(error instanceof TaskLoadError, String(error))
    t.is(error.code, 'ERR_MILLRACE_TASK_LOAD')
    t.true(error.message.includes(module), error.message)
    t.regex(error.message, message)
    t.true(isCause(error.cause), String(error.cause))
  }
  t.is(await pool.submit(tasks.pid), pid)
})

test('a module may throw anything at load: TaskLoadError all the same', async (t) => {
  const directory = tempDirectory(t)
  const pool = makePool(t, { maxWorkers: 1 })
  const pid = await pool.submit(tasks.pid)
  for (const [index, thrown] of [
    'Object.create(null)',
    '{ toString: 1 }',
    "Symbol('unique')",
    'undefined',
    "new Proxy(new Error('x'), { getPrototypeOf: () => { throw new Error('from a trap') } })",
    "Object.defineProperty(new Error(), 'message', { value: Symbol('a message') })",
  ].entries()) {
    const path = join(directory, `throws-${index}.mjs`)
    writeFileSync(path, `throw (${thrown})`)
    const error = (await failureOf(pool.submit(importTasks<{ never: () => void }>(path).never))) as TaskLoadError
    t.true(error instanceof TaskLoadError, `${thrown}: ${String(error)}`)
    t.regex(error.message, /could not be loaded: /)
  }
  t.is(await pool.submit(tasks.pid), pid)
})

test('every call to a module that does not load fails, and the module is not run again for each', async (t) => {
  const directory = tempDirectory(t)
  const path = join(directory, 'broken.mjs')
  const log = new Log(t)
  writeFileSync(
    path,
    `import { appendFileSync } from 'node:fs'
     appendFileSync(${JSON.stringify(log.path)}, 'loaded\\n')
     throw new Error('broken')
     export const task = () => 1`,
  )
  const pool = makePool(t, { maxWorkers: 1 })
  const { task } = importTasks<{ task: () => number }>(path)
  const errors = await Promise.all(Array.from({ length: 50 }, () => failureOf(pool.submit(task))))
  t.true(errors.every((error) => error instanceof TaskLoadError))
  t.true(log.lines.length < 10, `loaded ${log.lines.length} times`)
})

test('a module that is repaired loads, without a new pool', async (t) => {
  const directory = tempDirectory(t)
  const path = join(directory, 'repaired.mjs')
  const pool = makePool(t, { maxWorkers: 1 })
  const module = importTasks<{ task: () => string; later: () => string }>(path)
  t.true((await failureOf(pool.submit(module.task))) instanceof TaskLoadError)
  writeFileSync(path, 'export const task = () => {')
  const syntax = (await failureOf(pool.submit(module.task))) as TaskLoadError
  t.true(syntax instanceof TaskLoadError)
  t.true(syntax.cause instanceof SyntaxError)
  writeFileSync(path, "export const task = () => 'repaired'")
  t.is(await pool.submit(module.task), 'repaired')
})

test('a module that misses an export gets it when the file changes, without a new pool', async (t) => {
  const path = join(tempDirectory(t), 'grows.mjs')
  writeFileSync(path, 'export const other = () => 0')
  const pool = makePool(t, { maxWorkers: 1 })
  const module = importTasks<{ task: () => string }>(path)
  t.true((await failureOf(pool.submit(module.task))) instanceof TaskLoadError)
  writeFileSync(path, "export const task = () => 'added'")
  utimesSync(path, new Date(), new Date(Date.now() + 5000))
  t.is(await pool.submit(module.task), 'added')
})

test('a CommonJS module that misses an export gets it when the file changes, too', async (t) => {
  const path = join(tempDirectory(t), 'grows.cjs')
  writeFileSync(path, 'module.exports = { ...{ one: () => 1 } }')
  const pool = makePool(t, { maxWorkers: 1 })
  const module = importTasks<{ one: () => number; two: () => number }>(path)
  t.true((await failureOf(pool.submit(module.two))) instanceof TaskLoadError)
  writeFileSync(path, 'module.exports = { ...{ one: () => 1, two: () => 2 } }')
  t.is(await pool.submit(module.two), 2)
  t.is(await pool.submit(module.one), 1)
})

test('when a module was repaired, all of its functions can be had', async (t) => {
  const path = join(tempDirectory(t), 'repaired.mjs')
  const pool = makePool(t, { maxWorkers: 1 })
  const module = importTasks<{ one: () => number; two: () => number; default: () => number }>(path)
  t.true((await failureOf(pool.submit(module.one))) instanceof TaskLoadError)
  writeFileSync(path, 'let n = 0; export const one = () => ++n; export const two = () => ++n; export default () => ++n')
  t.deepEqual(
    [await pool.submit(module.one), await pool.submit(module.two), await pool.submit(module.default)],
    [1, 2, 3],
  )
})

test('a module whose dependency is repaired loads, without a new pool', async (t) => {
  const directory = tempDirectory(t)
  const dependency = join(directory, 'dependency.mjs')
  writeFileSync(dependency, "throw new Error('not yet')")
  const path = join(directory, 'task.mjs')
  writeFileSync(path, "import { value } from './dependency.mjs'\nexport const task = () => value")
  const pool = makePool(t, { maxWorkers: 1 })
  const { task } = importTasks<{ task: () => string }>(path)
  t.true((await failureOf(pool.submit(task))) instanceof TaskLoadError)
  writeFileSync(dependency, "export const value = 'repaired'")
  const deadline = performance.now() + 60_000
  let outcome: unknown = await pool.submit(task).exception()
  while (outcome !== undefined && performance.now() < deadline) {
    t.true(outcome instanceof TaskLoadError, String(outcome))
    await new Promise((resolve) => setTimeout(resolve, 50))
    outcome = await pool.submit(task).exception()
  }
  t.is(await pool.submit(task), 'repaired')
})

test('a module that submits calls when it is loaded gets a clear error, not a bomb of processes', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const { task } = importTasks<{ task: () => string }>(fixture('submits-at-load.mjs'))
  const error = (await failureOf(pool.submit(task))) as TaskLoadError
  t.true(error instanceof TaskLoadError, String(error))
  t.true(error.cause instanceof MillraceError)
  t.regex((error.cause as Error).message, /isWorker/)
  t.is(workersOf().length, 1)
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})
