// Shapes with code of their own: what is sent and received is what V8's serializer would have, accessors run once and
// in V8's order, and neither keys nor numbers of shapes do harm.

import test from 'ava'
import { execFileSync } from 'node:child_process'
import * as path from 'node:path'
import { PLAIN, V8 } from '../src/codec/ids.js'
import { decodeResult, encodeArguments, encodeResult, Outbox } from '../src/codec/index.js'
import { encodePlain } from '../src/codec/plain-encode.js'
import { readers } from '../src/codec/read-shapes.js'
import { CodeTable } from '../src/codec/shape-code.js'
import { writers } from '../src/codec/written-shapes.js'
import { byV8, checkOdd, checkPlain, compileSoon } from './helpers/codec-agreement.js'
import { argumentsOf } from './helpers/codec-plain-values.js'
import { difference, encodedResult, RUNS, sendResult } from './helpers/codec.js'

/** For a long run: `MILLRACE_CODEC_RUNS=1000000`. */
const PLAIN_RUNS = Number(process.env.MILLRACE_CODEC_RUNS ?? 25 * RUNS)

test.beforeEach(compileSoon)

test.serial('plain data arrives as V8 would have it', (t) => {
  checkPlain(PLAIN_RUNS)
  t.true(writers.size > 0 && readers.size > 0)
})

test.serial('whatever a value is, V8 has the same result, and its code runs in the same order', (t) => {
  t.true(checkOdd(PLAIN_RUNS) > PLAIN_RUNS / 2)
})

const script = `
  import { readers } from './src/codec/read-shapes.ts'
  import { writers } from './src/codec/written-shapes.ts'
  import { checkOdd, checkPlain, compileSoon } from './__test__/helpers/codec-agreement.ts'
  compileSoon()
  checkPlain(${5 * RUNS})
  checkOdd(${5 * RUNS})
  process.stdout.write(JSON.stringify([writers.size, readers.size]))`

function sizesIn(flags: string[], env: Record<string, string>): number[] {
  const args = [...flags, '--import=@oxc-node/core/register', '--input-type=module', '--eval', script]
  return JSON.parse(execFileSync(process.execPath, args, { env: { ...process.env, ...env }, encoding: 'utf8' }))
}

test('where code is forbidden, there is none, and all is the same', (t) => {
  t.deepEqual(sizesIn(['--disallow-code-generation-from-strings'], {}), [0, 0])
})

test('MILLRACE_SHAPE_CODE=off does without code, and all is the same', (t) => {
  t.deepEqual(sizesIn([], { MILLRACE_SHAPE_CODE: 'off' }), [0, 0])
  t.true(Math.min(...sizesIn([], { MILLRACE_SHAPE_CODE: '' })) > 0)
})

// ---- accessors ------------------------------------------------------------------------------------------------------

type Define = (object: object, key: string | number, value: unknown) => void

/** A record with places of every kind. `define` makes the property of each place, in the order of V8's serializer. */
function recordWith(define: Define, last: unknown = 'last'): any {
  const root: any = {}
  const inner: any = {}
  // V8 remembers what has become of the arrays that this line has made, and this one has no holes.
  const list: any[] = JSON.parse('[]')
  const row: any = {}
  define(root, 'first', 1)
  define(root, 'text', 'a text')
  define(root, 'inner', inner)
  define(inner, 'deep', 2.5)
  define(inner, 'none', undefined)
  define(root, 'list', list)
  define(list, 0, 7)
  define(list, 1, row)
  define(row, 'flag', true)
  define(list, 2, 'element')
  define(root, 'after', null)
  define(root, 'last', last)
  return root
}

const asData: Define = (object, key, value) => {
  // Else V8 has the array as one that may have holes.
  if (Array.isArray(object) && key === object.length) return void object.push(value)
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

const PLACES = 12
/** The place of `inner.none`. */
const UNDEFINED_PLACE = 4

/** What an accessor at the place number `place` does besides returning the value. */
type Deed = (object: any, key: string | number, root: () => any) => unknown

const deeds: Record<string, Deed> = {
  nothing: () => undefined,
  'replaces itself': (object, key) => asData(object, key, 'replaced'),
  'deletes itself': (object, key) => delete object[key],
  'deletes what comes later': (_, _key, root) => {
    const all = root()
    delete all.after
    delete all.inner.none
    delete all.list[2]
    delete all.list[1]?.flag
  },
  'changes what came before': (_, _key, root) => {
    root().first = 'changed'
    root().inner.deep = 'changed'
    root().list[0] = 'changed'
  },
  'changes what comes later': (_, _key, root) => {
    root().after = { changed: new Map([[1, 2]]) }
    root().list[2] = [3]
  },
  'makes accessors of what comes later': (_, _key, root) => {
    let runs = 0
    const get = () => `run ${runs++}`
    Object.defineProperty(root(), 'after', { get, enumerable: true })
    Object.defineProperty(root().list, 2, { get, enumerable: true })
  },
  'hides what comes later': (_, _key, root) => {
    Object.defineProperty(root(), 'after', { enumerable: false })
    Object.defineProperty(root().list, 2, { enumerable: false })
  },
  'adds properties': (object, _key, root) => {
    object.added = 1
    root().added = 2
    root().list.added = 3
  },
  'adds elements': (_, _key, root) => root().list.push('more'),
  'removes elements': (_, _key, root) => (root().list.length = 1),
  'takes prototypes away': (object, _key, root) => {
    Object.setPrototypeOf(object, null)
    Object.setPrototypeOf(root(), { after: 'inherited' })
    delete root().text
  },
  freezes: (object) => void Object.freeze(object),
  throws: () => {
    throw new Error('of the accessor')
  },
  'throws a RangeError': () => {
    throw new RangeError('of the accessor')
  },
}

/** The value of each place in turn is what an accessor returns, other each time. */
function withAccessor(place: number, deed: Deed, last: unknown): { value: any; runs: () => number } {
  let at = 0
  let runs = 0
  const made: { root?: any } = {}
  const value = recordWith((object, key, value) => {
    if (at++ !== place) return asData(object, key, value)
    const get = () => {
      runs++
      deed(object, key, () => made.root)
      return typeof value === 'object' || runs === 1 ? value : `run ${runs}`
    }
    Object.defineProperty(object, key, { get, enumerable: true, configurable: true })
  }, last)
  made.root = value
  return { value, runs: () => runs }
}

const endings: Record<string, () => unknown> = {
  'plain data': () => 'last',
  'a Map': () => new Map([[1, { a: 2 }]]),
  'an instance': () =>
    new (class Instance {
      field = 1
    })(),
  'a typed array': () => new Float64Array(3),
  'a function': () => () => 1,
}

for (const [deedName, deed] of Object.entries(deeds)) {
  for (const [ending, makeLast] of Object.entries(endings)) {
    test.serial(`an accessor at any place that ${deedName}, before ${ending}`, (t) => {
      for (let place = 0; place < PLACES; place++) {
        compileSoon()
        for (let i = 0; i < 3; i++) t.is(encodedResult(recordWith(asData)).codec, PLAIN)
        t.true(writers.size >= 3)
        const ours = withAccessor(place, deed, makeLast())
        const theirs = withAccessor(place, deed, makeLast())
        let expected: any
        try {
          expected = byV8(theirs.value)
        } catch {
          const error = t.throws(() => sendResult(ours.value), { code: 'ERR_MILLRACE_SERIALIZATION' })
          if (deedName.startsWith('throws')) t.is((error.cause as Error).message, 'of the accessor')
          continue
        }
        // Like a property that was deleted before.
        if (place === UNDEFINED_PLACE && expected.inner.none === undefined && deedName.startsWith('deletes')) {
          delete expected.inner.none
        }
        t.is(difference(sendResult(ours.value), expected), undefined, `place ${place}`)
        t.is(ours.runs(), theirs.runs(), `place ${place}`)
        t.is(ours.runs(), 1)
      }
    })
  }
}

test.serial('a value that is given up after an accessor has run refers to its parts as before', (t) => {
  const make = () => {
    const shared = { a: 1 }
    const root: any = { first: shared, second: [shared] }
    let runs = 0
    Object.defineProperty(root, 'third', { get: () => ({ runs: ++runs, shared, root }), enumerable: true })
    root.map = new Map<unknown, unknown>([
      [shared, root],
      ['set', new Set([root.second, shared])],
    ])
    root.holes = [1, , shared]
    root.extras = Object.assign([root], { extra: shared })
    return root
  }
  for (let i = 0; i < 3; i++) {
    sendResult({ first: { a: 1 }, second: [{ a: 1 }], third: 1, map: 1, holes: 1, extras: 1 })
  }
  t.is(difference(sendResult(make()), byV8(make())), undefined)
})

test.serial('an accessor may encode values itself, in the same outbox', (t) => {
  const out = new Outbox()
  const make = (encode: () => void, last: unknown): object => ({
    before: 'x'.repeat(100),
    get inner() {
      encode()
      return { n: 1 }
    },
    after: ['a', { n: 2 }],
    get last() {
      encode()
      return last
    },
  })
  const plain = { before: 'b', inner: { n: 1 }, after: ['c', { n: 2 }], last: 1 }
  for (let i = 0; i < 3; i++) encodeResult(plain, out)
  const others: (() => void)[] = [
    () => encodeArguments([1, 'text', null], out),
    () => encodeResult(plain, out),
    () => encodeResult(new Map(), out),
    () => encodeResult(Buffer.alloc(100), out),
    () => t.throws(() => encodeResult(() => 1, out)),
    () => encodeResult('y'.repeat(1000), new Outbox()),
  ]
  for (const other of others) {
    for (const last of [1, [{ n: 3 }], new Map([[1, { n: 4 }]])]) {
      compileSoon()
      for (let i = 0; i < 3; i++) encodeResult(plain, out)
      encodeResult(make(other, last), out)
      const nothing = (): void => {}
      t.is(difference(decodeResult(out.codec, out.copy()), byV8(make(nothing, last))), undefined)
      encodeResult(plain, out)
      t.is(difference(decodeResult(out.codec, out.copy()), plain), undefined)
    }
  }
})

test.serial('objects that only look like those of a shape with code are left to V8', (t) => {
  const hot = () => ({ a: 1, b: [1, 2], c: { d: 1 } })
  class Instance {
    a = 1
    b = [1, 2]
    c = { d: 1 }
  }
  const trap = () => t.fail('a trap was run') as never
  const handler = { get: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap, has: trap }
  const odd: Record<string, () => any> = {
    'an instance': () => new Instance(),
    'an instance within': () => ({ ...hot(), c: Object.assign(new (class {})(), { d: 1 }) }),
    'no prototype': () => Object.assign(Object.create(null), hot()),
    'an inherited key': () => Object.assign(Object.create({ a: 1 }), { b: [1], c: { d: 1 } }),
    'a proxy': () => new Proxy(hot(), handler),
    'a proxy within': () => ({ ...hot(), c: new Proxy({ d: 1 }, handler) }),
    'an array that is a proxy': () => ({ ...hot(), b: new Proxy([1, 2], handler) }),
    'an object that inherits from a proxy': () => ({ ...hot(), c: Object.create(new Proxy({ d: 1 }, handler)) }),
    'an arguments object': () => ({ ...hot(), c: Object.assign(argumentsOf(), { d: 1 }) }),
    'a bare arguments object': () => {
      const bare: any = Object.assign(argumentsOf(), { d: 1 })
      delete bare.length
      delete bare[Symbol.iterator]
      return { ...hot(), c: bare }
    },
    'a module': () => ({ ...hot(), c: path }),
    holes: () => ({ ...hot(), b: [1, , 3] }),
    'trailing holes': () => ({ ...hot(), b: new Array(2) }),
    'undefined in place of holes': () => ({ ...hot(), b: [undefined, 1] }),
    extras: () => ({ ...hot(), b: Object.assign([1, 2], { x: 1 }) }),
    'the result of a pattern': () => ({ ...hot(), b: /(?<name>a)/.exec('a') }),
    'a hole and an extra': () => ({ ...hot(), b: Object.assign([1, , 3], { x: 1 }) }),
    'a hidden element': () => ({ ...hot(), b: Object.defineProperty([1, 2], 0, { enumerable: false }) }),
    'a hidden element and an extra': () => {
      return { ...hot(), b: Object.assign(Object.defineProperty([1, 2], 0, { enumerable: false }), { 9.5: 1 }) }
    },
    'a subclass of Array': () => ({ ...hot(), b: class extends Array {}.of(1, 2) }),
    'an array without prototype': () => ({ ...hot(), b: Object.setPrototypeOf([1], null) }),
    'a hidden property': () => Object.defineProperty(hot(), 'h', { value: 1 }),
    'a key more': () => ({ ...hot(), z: 1 }),
    'a key less': () => ({ a: 1, b: [1, 2] }),
    'the keys in another order': () => ({ c: { d: 1 }, a: 1, b: [] }),
    'symbols besides': () => ({ ...hot(), [Symbol.iterator]: 1, [Symbol.toStringTag]: 'x' }),
    'numbers of every kind': () => ({ ...hot(), b: [-0, 0, NaN, 2 ** 31, -(2 ** 31), 5e-324, Infinity] }),
    'texts of every kind': () => ({
      ...hot(),
      b: ['', '\ud800', 'ж', 'é', '\u2028', 'x'.repeat(300), 'ж'.repeat(300)],
    }),
    'a frozen one': () => Object.freeze({ ...hot(), b: Object.freeze([1, 'x']) }),
    'a shared one': () => ((c) => ({ a: c, b: [c, c], c }))({ d: 1 }),
    'a cycle': () => {
      const all: any = hot()
      all.c.d = all
      return all
    },
  }
  for (const [name, make] of Object.entries(odd)) {
    compileSoon()
    for (let i = 0; i < 3; i++) sendResult(hot())
    let expected: unknown
    try {
      expected = byV8(make())
    } catch {
      t.throws(() => sendResult(make()), { code: 'ERR_MILLRACE_SERIALIZATION' }, name)
      continue
    }
    for (let i = 0; i < 3; i++) {
      if (name !== 'a module') t.is(difference(sendResult(make()), expected), undefined, name)
      t.is(difference(sendResult(hot()), hot()), undefined, name)
    }
  }
})

const everybodys: any = Object.prototype

test.serial('what others add to Object.prototype changes nothing', (t) => {
  const value = { plus: 1, minus: { plus: 2 }, list: [{ plus: 3 }] }
  for (let i = 0; i < 3; i++) sendResult(value)
  t.true(writers.size > 0 && readers.size > 0)
  const additions: Record<string, PropertyDescriptor> = {
    'a setter': { set: () => t.fail('a setter was run') },
    'what is read-only': { value: 'inherited', writable: false },
    'what is enumerable': { value: 'inherited', enumerable: true },
  }
  for (const [name, attributes] of Object.entries(additions)) {
    for (const key of ['plus', 'other']) {
      Object.defineProperty(everybodys, key, { configurable: true, ...attributes })
      try {
        for (const sent of [value, { minus: { plus: 2 }, list: [] }, { plus: 1 }]) {
          const { codec, bytes } = encodedResult(sent)
          const arrived = decodeResult(codec, bytes)
          delete everybodys[key]
          t.is(difference(arrived, sent), undefined, `${name} ${key}`)
          Object.defineProperty(everybodys, key, { configurable: true, ...attributes })
        }
      } finally {
        delete everybodys[key]
      }
    }
  }
})

// ---- keys and numbers of shapes -------------------------------------------------------------------------------------

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  '',
  ' ',
  '"',
  "'",
  '\\',
  '`',
  '${globalThis.injected = 1}',
  '"]: globalThis.injected = 1, ["',
  "'+(globalThis.injected=1)+'",
  '*/ globalThis.injected = 1 /*',
  '</script>',
  '\n',
  '\r\n',
  '\0',
  '\u2028',
  '\u2029',
  '\ud800',
  '\udc00x',
  'жизнь',
  '-1',
  '1.5',
  '01',
  '1e3',
  '4294967295',
  'async',
  'get',
  'set x',
  '[Symbol.iterator]',
  'o',
  'v',
  'at',
  'read',
  'arguments',
  'eval',
  'await',
  'let',
  'this',
]

test.serial('keys are data, whatever they look like', (t) => {
  const all = Object.fromEntries(KEYS.map((key, i) => [key, i]))
  const values = [all, ...KEYS.map((key) => JSON.parse(`{${JSON.stringify(key)}: {"inner": [1]}, "x": 1}`))]
  for (const key of ['0', '7', '4294967294']) values.push({ [key]: 1, a: 2 })
  for (const value of values) {
    for (let i = 0; i < 4; i++) {
      const { codec, bytes } = encodedResult(value)
      t.is(codec, PLAIN)
      const arrived: any = decodeResult(codec, bytes)
      t.is(difference(arrived, byV8(value)), undefined)
      t.is(Object.getPrototypeOf(arrived), Object.prototype)
    }
  }
  t.true(readers.size >= values.length)
  t.false('injected' in globalThis)
  t.is((everybodys as { inner?: unknown }).inner, undefined)
})

test.serial('shapes by the thousand get a bounded amount of code, and those that are met most have it', (t) => {
  writers.setPatience(8)
  readers.setPatience(8)
  const hot = { hot: 1, record: 'text' }
  let most = 0
  for (let i = 0; i < 6000; i++) {
    const value = { [`key ${i}`]: i, [`another ${i}`]: { [`inner ${i}`]: [i] } }
    for (let times = 0; times < (i % 3 === 0 ? 20 : 1); times++) sendResult(value)
    for (let times = 0; times < 3; times++) sendResult(hot)
    most = Math.max(most, writers.size, readers.size)
    if (i % 500 === 0) t.is(difference(sendResult(value), value), undefined)
  }
  t.true(most <= 192)
  t.true(writers.size > 0)
  for (let times = 0; times < 10_000; times++) sendResult(hot)
  const sizes = [writers.size, readers.size]
  for (let times = 0; times < 10_000; times++) sendResult(hot)
  t.deepEqual([writers.size, readers.size], sizes)
})

test.serial('shapes that are met once get no code', (t) => {
  writers.setPatience(1)
  readers.setPatience(1)
  for (let i = 0; i < 2000; i++) t.is(difference(sendResult({ [`once ${i}`]: i }), { [`once ${i}`]: i }), undefined)
  t.deepEqual([writers.size, readers.size], [0, 0])
})

test.serial('wide shapes get no code, and arrive all the same', (t) => {
  for (const width of [64, 65, 400]) {
    compileSoon()
    const value = Object.fromEntries(Array.from({ length: width }, (_, i) => [`k${i}`, i]))
    for (let i = 0; i < 4; i++) t.is(difference(sendResult(value), value), undefined)
    t.deepEqual([writers.size, readers.size], width <= 64 ? [1, 1] : [0, 0])
  }
})

test.serial('the source of code is bounded, too', (t) => {
  compileSoon()
  for (let i = 0; i < 60; i++) {
    const value = Object.fromEntries(Array.from({ length: 64 }, (_, key) => [`key ${key} of the shape ${i}`, key]))
    for (let times = 0; times < 4; times++) sendResult(value)
  }
  t.true(writers.size < 30 && readers.size <= 60)
})

test('a table ends the generation of code when even its last patience does not help', (t) => {
  const table = new CodeTable()
  const owners = Array.from({ length: 300 }, () => ({ met: 0, penalty: 0, code: undefined as Function | undefined }))
  const compile = (): number => {
    let given = 0
    for (const owner of owners) {
      if (owner.code !== undefined) continue
      owner.met = 2 ** 21
      if (table.meet(owner)) table.give(owner, 'return () => 1', [], [])
      if (owner.code !== undefined) given++
    }
    return given
  }
  let total = 0
  for (let round = 0; round < 100; round++) total += compile()
  t.true(total < 192 * 25)
  t.is(compile(), 0)
  t.is(table.size, 192)
})

test.serial('a shape whose objects turn out not to be plain loses its code, and gets it again much later', (t) => {
  writers.setPatience(0)
  const out = new Outbox()
  const good = { good: 1, other: 'text' }
  for (let i = 0; i < 3; i++) encodeResult(good, out)
  t.is(writers.size, 1)
  encodeResult({ good: 1, other: new Map() }, out)
  t.is(out.codec, V8)
  t.is(writers.size, 0)
  for (let i = 0; i < 20; i++) encodeResult(good, out)
  t.is(writers.size, 0)
  for (let i = 0; i < 40; i++) encodeResult(good, out)
  t.is(writers.size, 1)
  t.true(encodePlain(good, out))
})
