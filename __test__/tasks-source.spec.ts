// Plain functions as tasks: they travel as source text, or are refused at submit.

import { mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { tasks } from './fixtures/basic.mjs'
import theDefault from './fixtures/unexported.mjs'
import { test } from './helpers/leaks.js'
import { childrenOf } from './helpers/processes.mjs'
import { failureOf, makePool, tempDirectory } from './helpers/pool.js'

class Base {
  override(): string {
    return 'base'
  }
}

class Methods extends Base {
  #field = 1
  method(a: number): number {
    return a + 1
  }
  async asyncMethod(a: number): Promise<number> {
    return a + 2
  }
  static staticMethod(a: number): number {
    return a + 3
  }
  get field(): number {
    return this.#field
  }
  override override(): string {
    return super.override()
  }
}

const computed = 'computed name'
const object = {
  method(a: number): number {
    return a + 4
  },
  async asyncMethod(a: number): Promise<number> {
    return a + 5
  },
  'quoted name'(a: number): number {
    return a + 6
  },
  get(a: number): number {
    return a + 7
  },
  async(a: number): number {
    return a + 8
  },
  static(a: number): number {
    return a + 9
  },
  delete(a: number): number {
    return a + 11
  },
  7(a: number): number {
    return a + 12
  },
  [computed](a: number): number {
    return a + 10
  },
  *generator(): Generator<number> {
    yield 1
  },
}

const functions: [title: string, fn: (a: number) => unknown, expected: unknown][] = [
  ['an arrow function', (a) => a + 1, 2],
  // prettier-ignore
  ['an arrow function that returns an object', (a) => ({ a }), { a: 1 }],
  ['an async arrow function', async (a) => a + 1, 2],
  [
    'a function expression',
    function (a) {
      return a + 1
    },
    2,
  ],
  [
    'a named function that calls itself',
    function factorial(n: number): number {
      return n <= 1 ? 1 : n * factorial(n - 1)
    },
    1,
  ],
  [
    'an async function',
    async function (a) {
      await null
      return a + 1
    },
    2,
  ],
  ['a method of a class', Methods.prototype.method, 2],
  ['an async method of a class', Methods.prototype.asyncMethod, 3],
  ['a method of an object', object.method, 5],
  ['an async method of an object', object.asyncMethod, 6],
  ['a method named get', object.get, 8],
  ['a method named async', object.async, 9],
  ['a method named static', object.static, 10],
  ['a method named delete', object.delete, 12],
  ['a method with a quoted name', object['quoted name'], 7],
  ['a method with a number for a name', object[7], 13],
  [
    'a function with defaults, rest and destructuring',
    (a, { b = 2 } = {} as { b?: number }, ...rest: number[]) => [a, b, rest],
    [1, 2, []],
  ],
  ['a function whose comment has braces', (a) => /* } ) { */ a + 1 /* ( */, 2],
  ['a function made from text', new Function('a', 'return a + 1') as (a: number) => number, 2],
  [
    'an async function made from text',
    Object.getPrototypeOf(async () => {}).constructor('a', 'return a + 1') as never,
    2,
  ],
]

for (const [title, fn, expected] of functions) {
  test(`source: ${title} travels`, async (t) => {
    const pool = makePool(t, { maxWorkers: 1 })
    t.deepEqual(await pool.submit(fn, 1), expected)
    t.deepEqual(await pool.submit(fn, 1), expected)
  })
}

test('source: a static method travels', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  // Its text begins with "static" or not, depending on the engine.
  t.is(await pool.submit(Methods.staticMethod, 1), 4)
})

test('source: generator functions are run, and what they return is not iterated: it cannot travel', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const generators: (() => unknown)[] = [object.generator, async function* () {}]
  for (const generator of generators) {
    const error = await failureOf(pool.submit(generator))
    t.is((error as NodeJS.ErrnoException).code, 'ERR_MILLRACE_SERIALIZATION')
  }
})

const require = createRequire(import.meta.url)
const sloppy = require('./fixtures/scope.cjs') as Record<string, (...args: never[]) => unknown>

test('source: strict functions stay strict, sloppy ones sloppy', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const strictThis = function (this: unknown): boolean {
    return this === undefined || this === null
  }
  t.true(await pool.submit(strictThis))
  t.true(await pool.submit(sloppy.sloppyThis!))
  t.is(await pool.submit(sloppy.usesWith as (object: unknown) => unknown, { a: 1, b: 2 }), 3)
  const declaresNothing = (): void => {
    // @ts-expect-error There is no such variable: that is the point.
    undeclared = 1
  }
  t.true((await failureOf(pool.submit(declaresNothing))) instanceof ReferenceError)
})

const refused: [title: string, fn: unknown, message: RegExp][] = [
  ['a native function', Math.max, /native or bound/],
  ['a bound function', ((a: number) => a).bind(null), /native or bound/],
  ['a class', Methods, /is a class/],
  ['a class expression', class {}, /is a class/],
  ['a method that uses super', Methods.prototype.override, /super/],
  ['a getter', Object.getOwnPropertyDescriptor(Methods.prototype, 'field')!.get, /./],
  ['a method with a computed name', object[computed], /computed name/],
  ['a proxy of a function', new Proxy((a: number) => a, {}), /native or bound/],
]

for (const [title, fn, message] of refused) {
  test(`source: ${title} is a TypeError at submit, which names defineTasks`, (t) => {
    const pool = makePool(t, { maxWorkers: 1 })
    for (const call of [
      () => pool.submit(fn as never),
      () => pool.run(fn as never, []),
      () => pool.map(fn as never, [1]),
    ]) {
      const error = t.throws(call, { instanceOf: TypeError, message })
      t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_VALUE')
      t.true(error?.message.includes('defineTasks'), error?.message)
      t.true(error?.message.includes('"fn"'), error?.message)
    }
    t.deepEqual(childrenOf(), [])
  })
}

test('source: a closure is a ReferenceError in the worker that names the variable and defineTasks', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const captured = 5
  const closures: (() => unknown)[] = [() => captured, async () => captured]
  for (const fn of closures) {
    const error = (await failureOf(pool.submit(fn))) as Error
    t.true(error instanceof ReferenceError, String(error))
    t.true(error.message.startsWith('captured is not defined'), error.message)
    t.true(error.message.includes('defineTasks') && error.message.includes('closures'), error.message)
  }
  t.is(await pool.submit(tasks.add, 1, 2), 3)
})

test('source: import() resolves from the working directory: packages, modules of Node, paths', async (t) => {
  const directory = tempDirectory(t)
  mkdirSync(join(directory, 'lib'))
  writeFileSync(join(directory, 'lib', 'local.mjs'), "export const local = 'here'")
  const pool = makePool(t, { maxWorkers: 1, cwd: directory })
  t.is(await pool.submit(async () => (await import('node:path')).posix.join('a', 'b')), 'a/b')
  const specifier = './lib/local.mjs'
  t.is(await pool.submit(async (from: string) => ((await import(from)) as { local: string }).local, specifier), 'here')
  const home = makePool(t, { maxWorkers: 1 })
  t.is(await home.submit(async () => typeof (await import('millrace')).ProcessPoolExecutor), 'function')
})

test('source: a function that is edited between calls is another task', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const futures = Array.from({ length: 50 }, (_, index) => pool.submit(new Function(`return ${index}`) as () => number))
  t.deepEqual(
    await Promise.all(futures),
    futures.map((_, index) => index),
  )
})

test('more different functions than a pool remembers at once are all right', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  const first = new Function('return "first"') as () => string
  t.is(await pool.submit(first), 'first')
  for (let batch = 0; batch < 10; batch++) {
    const futures = Array.from({ length: 500 }, (_, index) =>
      pool.submit(new Function(`return ${batch * 500 + index}`) as () => number),
    )
    t.deepEqual(
      await Promise.all(futures),
      futures.map((_, index) => batch * 500 + index),
    )
  }
  t.is(await pool.submit(first), 'first')
})

test('functions of much text do not stay in memory, whichever workers ran them', async (t) => {
  const pool = makePool(t, { maxWorkers: 2, execArgv: ['--expose-gc'] })
  const heaps = async (): Promise<number> => {
    const used = async (): Promise<[number, number]> => {
      for (let round = 0; round < 3; round++) {
        ;(globalThis as unknown as { gc(): void }).gc()
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      return [process.pid, process.memoryUsage().heapUsed]
    }
    const all = await Promise.all(Array.from({ length: 6 }, () => pool.submit(used)))
    return Math.max(...new Map(all).values())
  }
  const before = await heaps()
  for (const [length, count] of [
    [1_000_000, 120],
    [100, 1000],
    [300_000, 300],
    [20_000_000, 4],
  ] as const) {
    const padding = 'p'.repeat(length)
    for (let batch = 0; batch < count; batch += 4) {
      const futures = [0, 1, 2, 3].map((index) =>
        pool.submit(new Function(`/*${padding}*/ return ${batch + index}`) as () => number),
      )
      t.deepEqual(await Promise.all(futures), [batch, batch + 1, batch + 2, batch + 3])
    }
    t.is(await pool.submit(new Function('return "small"') as () => string), 'small')
  }
  const grown = (await heaps()) - before
  // 16 MiB are remembered, 90 MB and more were sent in each round.
  t.true(grown < 64e6, `${Math.round(grown / 1e6)} MB more`)
})

test('a function that was forgotten while others ran is sent once more', async (t) => {
  const pool = makePool(t, { maxWorkers: 2 })
  const padding = 'p'.repeat(3_000_000)
  const functions = Array.from({ length: 8 }, (_, n) => new Function(`/*${padding}*/ return ${n}`) as () => number)
  for (let round = 0; round < 4; round++) {
    const shuffled = functions.map((_, index) => (index * 3 + round) % functions.length)
    t.deepEqual(await Promise.all(shuffled.map((index) => pool.submit(functions[index]!))), shuffled)
  }
})

test('an engine whose flags are frozen runs source text all the same', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, execArgv: ['--freeze-flags-after-init'] })
  for (let index = 0; index < 20; index++) {
    t.is(await pool.submit((bytes: Uint8Array) => bytes.length, new Uint8Array(5 << 20)), 5 << 20)
  }
  t.is(pool.stats().restarts, 0)
})

test('the default export of a module that is loaded here travels as source, or by importTasks', async (t) => {
  const pool = makePool(t, { maxWorkers: 1 })
  t.is(await pool.submit(theDefault, 'z'), 'default z')
})
