// The error envelope: thrown values of every kind, described and rebuilt.

import test from 'ava'
import assert, { AssertionError } from 'node:assert'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import vm from 'node:vm'
import * as errors from '../src/errors/index.js'
import { RemoteError } from '../src/errors/index.js'
import { encodedError, sendError } from './helpers/codec.js'

/** The value that a call throws or rejects with. */
async function thrownBy(run: () => unknown): Promise<any> {
  try {
    await run()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

const NativeErrors = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError }

for (const [name, NativeError] of Object.entries(NativeErrors)) {
  test(`a ${name} arrives as itself, with message, stack, own fields and cause`, (t) => {
    const error = new NativeError('the message', { cause: { why: 1 } })
    const arrived = sendError(Object.assign(error, { code: 'E_CODE', list: [1, { a: -0 }], undef: undefined }))
    t.is(Object.getPrototypeOf(arrived), NativeError.prototype)
    t.is(arrived.message, 'the message')
    t.is(arrived.name, name)
    t.is(arrived.stack, `${error.stack}\n    — in worker pid 4711 —`)
    t.deepEqual(Object.entries(arrived), [
      ['code', 'E_CODE'],
      ['list', [1, { a: -0 }]],
      ['undef', undefined],
    ])
    t.deepEqual(arrived.cause, { why: 1 })
    for (const key of ['message', 'stack', 'cause']) t.false(Object.getOwnPropertyDescriptor(arrived, key)!.enumerable)
  })
}

test('the stack is the worker’s, a line that names the worker, and the stack of the submission', (t) => {
  const error = new Error('boom')
  const arrived = sendError(error, '    at submitted (here.js:1:1)')
  t.is(arrived.stack, `${error.stack}\n    — in worker pid 4711 —\n    at submitted (here.js:1:1)`)
  const again = sendError(arrived)
  t.is(again.stack, `${arrived.stack}\n    — in worker pid 4711 —`)
})

test('an error without a cause has none, and a cause that is undefined is kept', (t) => {
  t.false('cause' in sendError(new Error('m')))
  t.true(Object.hasOwn(sendError(new Error('m', { cause: undefined })), 'cause'))
})

test('a chain of causes arrives, each with its own stack', (t) => {
  const inner = Object.assign(new TypeError('inner'), { code: 1 })
  const outer = new Error('outer', { cause: new RangeError('middle', { cause: inner }) })
  const arrived = sendError(outer)
  t.true(arrived.cause instanceof RangeError)
  t.true(arrived.cause.cause instanceof TypeError)
  t.is(arrived.cause.cause.code, 1)
  t.is(arrived.cause.cause.stack, inner.stack)
})

test('cycles among causes and fields are cut', (t) => {
  const self: any = new Error('self')
  self.cause = self
  self.me = self
  const arrived = sendError(self)
  t.is(arrived.message, 'self')
  t.false('cause' in arrived)
  t.false('me' in arrived)
  const a: any = new Error('a')
  const b: any = new Error('b', { cause: a })
  a.cause = b
  t.is(sendError(a).cause.message, 'b')
  t.false('cause' in sendError(a).cause)
  const aggregate = new AggregateError([], 'all')
  aggregate.errors.push(aggregate, 1)
  const errors = sendError(aggregate).errors
  // A circle through a list stays one: a list is described once, and may refer to any error.
  t.is(errors[0].errors, errors)
  t.is(errors[1], 1)
})

test('lists of errors within each other do not keep the description busy', (t) => {
  const list: unknown[] = [new TypeError('a')]
  list.push(list)
  let nested: unknown[] = [new Error('0')]
  for (let i = 1; i < 100; i++) nested = [new Error(String(i)), nested, nested]
  const arrived = sendError(Object.assign(new Error('m'), { list, nested }))
  t.true(arrived.list[0] instanceof TypeError)
  t.is(arrived.nested[0].message, '99')
})

test('errors that name the list of all of them are described once, and share the list afterwards', (t) => {
  const count = 2000
  const failures: any[] = []
  for (let i = 0; i < count; i++) failures.push(Object.assign(new RangeError(`row ${i}`), { batch: failures }))
  const payload = encodedError(new AggregateError(failures, 'all')).bytes
  // Not more than the stacks of the errors, by far.
  t.true(payload.length < 5_000_000, String(payload.length))
  const arrived = sendError(new AggregateError(failures, 'all'))
  t.is(arrived.errors.length, count)
  const { batch } = arrived.errors[0]
  t.is(batch.length, count)
  for (const [i, error] of arrived.errors.entries()) {
    if (!(error instanceof RangeError) || (error as any).batch !== batch || batch[i] !== error) t.fail(`row ${i}`)
  }
  const one = sendError(failures[7])
  t.is(one.batch[7], one)
  t.is(one.batch[8].batch, one.batch)
})

test('values that errors share, or that have parts in common, arrive once', (t) => {
  const rows = Array.from({ length: 2000 }, (_, i) => ({ i, text: 'x'.repeat(20) }))
  const failures = rows.map((row, i) =>
    Object.assign(new Error(String(i)), { context: { row, rows }, empty: {}, rows }),
  )
  const payload = encodedError(new AggregateError(failures)).bytes
  t.true(payload.length < 5_000_000, String(payload.length))
  const { errors } = sendError(new AggregateError(failures))
  t.is(errors[5].context.rows, errors[1999].rows)
  t.is(errors[5].context.row, errors[6].rows[5])
})

test('a list of errors keeps its holes, its symbols, and texts of elements that cannot travel', (t) => {
  const socket = { send() {} }
  const list: unknown[] = [new Error('a'), Symbol.for('known'), () => 1, socket, socket]
  list[6] = 'last'
  list.length = 8
  const arrived = sendError(Object.assign(new Error('m'), { list })).list
  t.is(arrived[0].message, 'a')
  t.is(arrived[1], Symbol.for('known'))
  t.regex(arrived[2], /Function/)
  t.is(arrived[3], arrived[4])
  t.false(5 in arrived)
  t.is(arrived[6], 'last')
  t.false(7 in arrived)
  t.is(arrived.length, 8)
})

test('lists of errors beyond every use are cut, and say so', (t) => {
  const failures = Array.from({ length: 1000 }, (_, i) => new Error(String(i)))
  const all = failures.map(() => new AggregateError(failures))
  const { errors } = sendError(new AggregateError(all))
  t.is(errors.length, 1000)
  t.is(errors[0].errors.length, 1000)
  t.is(errors[0].errors[3], errors[1].errors[3])
  t.deepEqual(errors[999].errors, ['… 1000 elements are left out'])
})

test('a chain of causes beyond every use is cut', (t) => {
  let error = new Error('0')
  for (let i = 1; i < 10_000; i++) error = new Error(String(i), { cause: error })
  let arrived = sendError(error)
  let depth = 0
  for (; arrived !== undefined; arrived = arrived.cause) depth++
  t.is(depth, 100)
})

test('the errors of an AggregateError arrive, and one that is there twice is one', (t) => {
  const shared = Object.assign(new TypeError('shared'), { code: 'X' })
  const error = new AggregateError([shared, 'text', shared, new AggregateError([new RangeError('deep')])], 'many')
  const arrived = sendError(error)
  t.true(arrived instanceof AggregateError)
  t.is(arrived.message, 'many')
  t.is(arrived.errors.length, 4)
  t.is(arrived.errors[0].code, 'X')
  t.is(arrived.errors[2], arrived.errors[0])
  t.is(arrived.errors[1], 'text')
  t.true(arrived.errors[3].errors[0] instanceof RangeError)
  t.false(Object.getOwnPropertyDescriptor(arrived, 'errors')!.enumerable)
})

test('errors in own fields, alone and in lists, keep class and fields', (t) => {
  const error = Object.assign(new Error('m'), {
    original: Object.assign(new TypeError('inner'), { code: 2 }),
    errors: [new RangeError('one'), null],
  })
  const arrived = sendError(error)
  t.true(arrived.original instanceof TypeError)
  t.is(arrived.original.code, 2)
  t.true(arrived.errors[0] instanceof RangeError)
  t.is(arrived.errors[1], null)
})

test('a DOMException arrives as one', (t) => {
  const arrived = sendError(new DOMException('stop', 'AbortError'))
  t.is(Object.getPrototypeOf(arrived), DOMException.prototype)
  t.is(arrived.name, 'AbortError')
  t.is(arrived.message, 'stop')
  t.is(arrived.code, DOMException.ABORT_ERR)
  t.regex(arrived.stack, /in worker pid 4711/)
  t.deepEqual(Object.keys(arrived), [])
  t.is(sendError(AbortSignal.abort().reason).name, 'AbortError')
  t.is(sendError(new Error('m', { cause: AbortSignal.abort().reason })).cause.name, 'AbortError')
})

test('errors of Node arrive as the built-in class that they are, with code, errno and syscall', async (t) => {
  const cases: [new (...args: any[]) => Error, () => unknown][] = [
    [Error, () => fs.readFileSync('/does/not/exist')],
    [Error, () => fs.promises.readFile('/does/not/exist')],
    [TypeError, () => fs.readFileSync(1.5 as any, { encoding: 'none' as any })],
    [RangeError, () => Buffer.alloc(-1)],
    [TypeError, () => new URL('not a url')],
    [Error, () => new Promise((_, reject) => net.connect(1, '127.0.0.1').on('error', reject))],
    [Error, () => os.setPriority(2 ** 30, 1)],
    [Error, () => process.kill(2 ** 30)],
    [Error, () => import('no-such-package' as string)],
    [Error, () => sleep(1e6, undefined, { signal: AbortSignal.abort() })],
  ]
  for (const [NodeError, run] of cases) {
    const error = await thrownBy(run)
    const arrived = sendError(error)
    t.is(Object.getPrototypeOf(arrived), NodeError.prototype, error.stack)
    for (const key of ['name', 'message', 'code', 'errno', 'syscall', 'path'])
      t.is(arrived[key], error[key], error.stack)
    t.is(typeof arrived.code, 'string')
  }
})

test('an AssertionError of Node arrives as itself', async (t) => {
  const error = await thrownBy(() => assert.deepStrictEqual({ a: 1 }, { a: 2 }))
  const arrived = sendError(error)
  t.true(arrived instanceof AssertionError)
  for (const key of ['name', 'message', 'code', 'operator', 'generatedMessage']) t.is(arrived[key], error[key])
  t.deepEqual(arrived.actual, { a: 1 })
  t.deepEqual(arrived.expected, { a: 2 })
})

test('an error of WebAssembly arrives as itself', async (t) => {
  const WebAssembly = (globalThis as any).WebAssembly
  const error = await thrownBy(() => new WebAssembly.Module(new Uint8Array(3)))
  t.is(Object.getPrototypeOf(sendError(error)), WebAssembly.CompileError.prototype)
})

test('an error of another realm arrives as the class of this one', (t) => {
  const arrived = sendError(vm.runInNewContext('Object.assign(new TypeError("far"), { code: 3 })'))
  t.is(Object.getPrototypeOf(arrived), TypeError.prototype)
  t.is(arrived.message, 'far')
  t.is(arrived.code, 3)
})

test('an unknown class arrives as a RemoteError with name, message, own fields and cause', (t) => {
  class ValidationError extends TypeError {
    code = 'E_VALID'
    field = 'age'
    constructor(message: string, options?: ErrorOptions) {
      super(message, options)
      this.name = 'ValidationError'
    }
  }
  const error = new ValidationError('too young', { cause: new RangeError('17') })
  const arrived = sendError(error, '    at here')
  t.true(arrived instanceof RemoteError)
  t.is(arrived.name, 'ValidationError')
  t.is(arrived.message, 'too young')
  t.is(arrived.code, 'E_VALID')
  t.is(arrived.field, 'age')
  t.true(arrived.cause instanceof RangeError)
  t.deepEqual(arrived.remote, { name: 'ValidationError', stack: error.stack, pid: 4711 })
  t.is(arrived.stack, `${error.stack}\n    — in worker pid 4711 —\n    at here`)
})

test('an unknown class without a name of its own goes by the name of the class', (t) => {
  class PaymentError extends Error {}
  const arrived = sendError(new PaymentError('declined'))
  t.true(arrived instanceof RemoteError)
  t.is(arrived.name, 'PaymentError')
  t.is(arrived.code, 'ERR_MILLRACE_REMOTE')
  t.is(sendError(new (class extends RangeError {})('anonymous')).name, 'RangeError')
})

test('a code that is inherited, a number, or not enumerable is kept', (t) => {
  class Coded extends Error {
    get code() {
      return 'E_GET'
    }
  }
  t.is(sendError(new Coded('m')).code, 'E_GET')
  t.is(sendError(Object.assign(new (class Odd extends Error {})('m'), { code: 42 })).code, 42)
  const hidden = sendError(Object.defineProperty(new Error('m'), 'code', { value: 'E_HIDDEN' }))
  t.is(hidden.code, 'E_HIDDEN')
  t.deepEqual(Object.keys(hidden), [])
})

test('a field named remote does not hide where the error comes from', (t) => {
  class Odd extends Error {
    remote = 'mine'
    code = undefined
  }
  const arrived = sendError(new Odd('m'))
  t.is(arrived.remote.pid, 4711)
  t.is(arrived.code, 'ERR_MILLRACE_REMOTE')
})

test("Millrace's own errors arrive as themselves, with what they carry", (t) => {
  const death = { pid: 12, exitCode: null, signal: 'SIGKILL' as const }
  const cause = new Error('why')
  const cases: [string, Error][] = [
    ['BrokenProcessPool', new errors.BrokenProcessPool('m', { workers: [death], cause })],
    ['WorkerDiedError', new errors.WorkerDiedError('m', { ...death, hint: 'memory' })],
    ['CancelledError', new errors.CancelledError('m', { cause })],
    ['TimeoutError', new errors.TimeoutError('m')],
    ['SerializationError', new errors.SerializationError('m', { stage: 'result', path: 'result.x' })],
    ['TaskLoadError', new errors.TaskLoadError('m', { cause })],
    ['TaskExitError', new errors.TaskExitError('m', { exitCode: 3 })],
    ['RemoteError', new errors.RemoteError('m', { remote: { name: 'Far', stack: 's', pid: 99 }, code: 'E_FAR' })],
    ['ShutdownError', new errors.ShutdownError('m')],
    ['ForkUnsafeError', new errors.ForkUnsafeError('m', { reasons: ['threads'] })],
  ]
  for (const [name, error] of cases) {
    const arrived = sendError(error)
    t.is(arrived.constructor, errors.errorClasses.get(name), name)
    t.is(arrived.name, error.name)
    t.deepEqual(Object.entries(arrived), Object.entries(error), name)
    t.is(arrived.cause?.message, (error.cause as Error | undefined)?.message)
    t.is(arrived.stack, `${error.stack}\n    — in worker pid 4711 —`)
  }
})

test('primitives that are thrown arrive as they are', (t) => {
  const primitives = [undefined, null, 0, -0, NaN, 1.5, '', 'text', 'a\ud800', true, false, 5n, 2n ** 70n]
  for (const thrown of primitives) t.true(Object.is(sendError(thrown), thrown))
  t.is(sendError(Symbol.for('registered')), Symbol.for('registered'))
})

test('objects that are thrown arrive as their structured clones', (t) => {
  t.deepEqual(sendError({ code: 1, list: [1, , 2] }), { code: 1, list: [1, , 2] })
  t.deepEqual(sendError([1, 2]), [1, 2])
  const [first, second] = sendError([new TypeError('a'), 2])
  t.true(first instanceof TypeError)
  t.is(second, 2)
})

test('what is thrown and cannot travel arrives as a RemoteError that describes it', (t) => {
  const cases: [unknown, string, RegExp][] = [
    [Symbol('local'), 'Symbol', /Symbol\(local\)/],
    [function boom() {}, 'Function', /boom/],
    [new Proxy({}, {}), 'Proxy', /{}/],
    [new Proxy(new Error('hidden'), {}), 'Proxy', /hidden/],
    [Promise.resolve(1), 'Promise', /Promise/],
    [{ fn() {}, code: 'E_OBJ' }, 'Object', /fn/],
    [AbortSignal.abort(), 'AbortSignal', /AbortSignal/],
  ]
  for (const [thrown, name, message] of cases) {
    const arrived = sendError(thrown)
    t.true(arrived instanceof RemoteError)
    t.is(arrived.name, name)
    t.regex(arrived.message, message)
    t.is(arrived.remote.pid, 4711)
  }
  t.is(sendError({ fn() {}, code: 'E_OBJ' }).code, 'E_OBJ')
})

test('own fields that cannot travel are left out, the others stay', (t) => {
  const error = Object.assign(new Error('m'), {
    fn() {},
    symbol: Symbol('x'),
    promise: Promise.resolve(),
    nested: { deep: [() => 1] },
    signal: AbortSignal.abort(),
    body: Buffer.from('body'),
    fine: new Map([[1, { a: 1 }]]),
  })
  const arrived = sendError(error)
  t.deepEqual(Object.keys(arrived), ['body', 'fine'])
  t.is(arrived.body.toString(), 'body')
  t.deepEqual(arrived.fine, new Map([[1, { a: 1 }]]))
})

test('a cause that cannot travel is described', (t) => {
  t.regex(sendError(new Error('m', { cause: function reason() {} })).cause, /reason/)
  t.is(sendError(new Error('m', { cause: Symbol('x') })).cause, 'Symbol(x)')
})

test('hostile errors are delivered all the same', (t) => {
  const trap = () => {
    throw new Error('a trap')
  }
  const getter = (key: string, value: PropertyDescriptor) => Object.defineProperty(new Error('m'), key, value)
  class Throwing extends Error {
    override get name(): string {
      return trap()
    }
    override get message(): string {
      return trap()
    }
    override get stack(): string {
      return trap()
    }
    get code(): string {
      return trap()
    }
  }
  const hostile: unknown[] = [
    Object.freeze(new Error('frozen')),
    getter('message', { get: trap }),
    getter('stack', { get: trap }),
    getter('name', { get: trap }),
    getter('cause', { get: trap }),
    getter('code', { get: trap, enumerable: true }),
    getter('constructor', { get: trap }),
    getter('constructor', { value: new Proxy(class {}, { get: trap, getPrototypeOf: trap }) }),
    getter('toString', { value: trap }),
    getter(Symbol.toPrimitive as never, { value: trap }),
    getter('errors', { value: new Proxy([], { get: trap, has: trap }) }),
    new Throwing(),
    Object.setPrototypeOf(new Error('m'), null),
    Object.setPrototypeOf(new Error('m'), new Proxy({}, { get: trap, getPrototypeOf: trap, has: trap })),
    Object.create(Error.prototype),
    new Proxy(new Error('m'), { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap }),
    new Proxy(function () {}, { get: trap, apply: trap }),
    Object.create(new Proxy({}, { get: trap, getPrototypeOf: trap })),
    Object.assign(Object.create(null), { a: 1, fn: trap }),
    (() => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    })(),
  ]
  for (const thrown of hostile) {
    const arrived = sendError(thrown)
    t.is(typeof arrived, 'object')
    if (arrived instanceof Error)
      for (const key of ['name', 'message', 'stack'] as const) t.is(typeof arrived[key], 'string')
  }
})

test('a message that is no text becomes one', (t) => {
  const withMessage = (message: unknown) =>
    sendError(Object.defineProperty(new Error(), 'message', { value: message })).message
  t.is(withMessage(42), '42')
  t.is(withMessage(null), 'null')
  t.is(withMessage(undefined), '')
  t.is(withMessage({ a: 1 }), '{ a: 1 }')
  t.is(typeof withMessage(Symbol('x')), 'string')
})

test('own fields named like parts of prototypes stay fields', (t) => {
  const error = new Error('m')
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    Object.defineProperty(error, key, { value: { polluted: key }, enumerable: true })
  }
  const arrived = sendError(error)
  t.is(Object.getPrototypeOf(arrived), Error.prototype)
  t.deepEqual(Object.getOwnPropertyDescriptor(arrived, '__proto__')!.value, { polluted: '__proto__' })
  t.is(({} as any).polluted, undefined)
  const own = { value: { polluted: 1 }, enumerable: true }
  const timeout = sendError(Object.defineProperty(new errors.TimeoutError('m'), '__proto__', own))
  t.is(Object.getPrototypeOf(timeout), errors.TimeoutError.prototype)
})

test('an error with fields that are read differently each time is delivered', (t) => {
  let calls = 0
  const error = Object.assign(new Error('moody'), {
    data: {
      get flaky() {
        return calls++ === 0 ? 1 : () => 1
      },
    },
  })
  const arrived = sendError(error)
  t.true(arrived instanceof Error)
  t.regex(arrived.message, /moody/)
})

test('many and large fields arrive', (t) => {
  const error = Object.assign(new Error('x'.repeat(200_000)), {
    rows: Array.from({ length: 10_000 }, (_, i) => ({ i })),
  })
  const arrived = sendError(error)
  t.is(arrived.message.length, 200_000)
  t.is(arrived.rows[9_999].i, 9_999)
})
