// The rules of `multiprocessing.util.Finalize` that need neither a collection nor the end of a process.

import { inspect } from 'node:util'
import test from 'ava'
import { Finalize, runFinalizers } from 'millrace'
import { Finalize as OtherFinalize, runFinalizers as runOtherFinalizers } from '../src/finalizers/index.js'
import { argumentError, spy } from './helpers/finalizers.js'

// All tests of this thread share one registry: no finalizer of another test is left in it.
test.beforeEach(() => runFinalizers())

test.serial('call() runs the callback with its arguments, once, and returns what it returns', (t) => {
  const calls: unknown[] = []
  const finalizer = new Finalize({}, (...args: number[]) => calls.push(args), { args: [1, 2] })
  t.true(finalizer.stillActive())
  t.is(finalizer.call(), 1)
  t.false(finalizer.stillActive())
  t.is(finalizer.call(), undefined)
  t.deepEqual(calls, [[1, 2]])
})

test.serial('without arguments the callback gets none, and it is nobody’s method', (t) => {
  const seen = new Finalize({}, function (this: unknown, ...args: unknown[]) {
    return { self: this, args }
  }).call()
  t.deepEqual(seen, { self: undefined, args: [] })
})

test.serial('the arguments are those of the registration', (t) => {
  const args: [string, string] = ['a', 'b']
  const finalizer = new Finalize({}, (...given: string[]) => given, { args })
  args[0] = 'changed'
  t.deepEqual(finalizer.call(), ['a', 'b'])
})

test.serial('a callback finds itself removed: calling it again from inside does nothing', (t) => {
  let depth = 0
  const finalizer: Finalize<[], unknown[]> = new Finalize({}, (): unknown[] => {
    depth++
    return [finalizer.stillActive(), finalizer.call()]
  })
  t.deepEqual(finalizer.call(), [false, undefined])
  t.is(depth, 1)
})

test.serial('what the callback throws reaches the caller of call(), and it is over', (t) => {
  for (const thrown of [new Error('no'), undefined, 'text']) {
    const finalizer = new Finalize(
      null,
      () => {
        throw thrown
      },
      { exitPriority: 1 },
    )
    let caught: unknown[] = []
    try {
      finalizer.call()
    } catch (error) {
      caught = [error]
    }
    t.deepEqual(caught, [thrown])
    t.false(finalizer.stillActive())
    t.is(finalizer.call(), undefined)
  }
  runFinalizers()
})

test.serial('call() hands a promise to its caller', async (t) => {
  t.is(await new Finalize({}, async () => 'done').call(), 'done')
})

test.serial('cancel() is for good, and may be repeated', (t) => {
  const { calls, made } = spy()
  const finalizer = made('x', 3)
  finalizer.cancel()
  finalizer.cancel()
  t.false(finalizer.stillActive())
  t.is(finalizer.call(), undefined)
  runFinalizers()
  t.deepEqual(calls, [])
  const ran = made('y', 3)
  ran.call()
  ran.cancel()
  t.deepEqual(calls, ['y'])
})

test.serial('what it looks like', (t) => {
  function tidy(..._paths: string[]): void {}
  const full = new Finalize(null, tidy, { args: ['a', 'b'], exitPriority: -100 })
  t.is(inspect(full), "<Finalize object, callback=tidy, args=[ 'a', 'b' ], exitpriority=-100>")
  t.is(inspect(new Finalize({}, tidy)), '<Finalize object, callback=tidy>')
  t.is(
    inspect(new Finalize(null, () => {}, { exitPriority: 0 })),
    '<Finalize object, callback=anonymous, exitpriority=0>',
  )
  const cancelled = new Finalize({}, tidy)
  cancelled.cancel()
  full.call()
  t.deepEqual([inspect(full), inspect(cancelled)], ['<Finalize object, dead>', '<Finalize object, dead>'])
})

test.serial('a pass runs the highest priority first, the newest among equals', (t) => {
  const { calls, made } = spy()
  for (const [index, priority] of [
    0,
    5,
    -3,
    5,
    0,
    100,
    -3,
    Number.MIN_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER,
  ].entries()) {
    made(`${priority} ${index}`, priority)
  }
  runFinalizers()
  t.deepEqual(calls, [
    `${Number.MAX_SAFE_INTEGER} 8`,
    '100 5',
    '5 3',
    '5 1',
    '0 4',
    '0 0',
    '-3 6',
    '-3 2',
    `${Number.MIN_SAFE_INTEGER} 7`,
  ])
})

test.serial('a pass with a minimum leaves what is below it, and what has no priority', (t) => {
  const { calls, made } = spy()
  const held = {}
  const none = new Finalize(held, () => calls.push('none'))
  made('-1', -1)
  made('0', 0)
  made('2', 2)
  runFinalizers(0)
  t.deepEqual(calls.splice(0), ['2', '0'])
  runFinalizers(0)
  t.deepEqual(calls.splice(0), [])
  runFinalizers(-Infinity)
  t.deepEqual(calls.splice(0), ['-1'])
  t.true(none.stillActive())
  none.call()
  t.deepEqual(calls, ['none'])
})

test.serial('a full pass forgets what has no priority, without running it', (t) => {
  const { calls, made } = spy()
  const held = {}
  const none = new Finalize(held, () => calls.push('none'))
  made('0', 0)
  runFinalizers()
  t.deepEqual(calls, ['0'])
  t.false(none.stillActive())
  t.is(none.call(), undefined)
  t.is(inspect(none), '<Finalize object, dead>')
})

test.serial('an object may have several, and a function be one', (t) => {
  const { calls, made } = spy()
  const object = (): void => {}
  const several = [made('a', 1, object), made('b', 2, object)]
  several[0]!.call()
  t.deepEqual(
    several.map((one) => one.stillActive()),
    [false, true],
  )
  runFinalizers(0)
  t.deepEqual(calls, ['a', 'b'])
})

test.serial('the entry of another process is dropped, not run', (t) => {
  const { calls, made } = spy()
  const finalizers = [made('called', 1), made('passed', 2)]
  const pid = Object.getOwnPropertyDescriptor(process, 'pid')!
  // A fork of this process would see such a number.
  Object.defineProperty(process, 'pid', { ...pid, value: process.pid + 1 })
  try {
    t.is(finalizers[0]!.call(), undefined)
    runFinalizers()
    made('its own', 1)
    runFinalizers()
  } finally {
    Object.defineProperty(process, 'pid', pid)
  }
  t.deepEqual(calls, ['its own'])
  t.false(finalizers.some((one) => one.stillActive()))
})

test.serial('copies of the package share one order', (t) => {
  t.not(Finalize as unknown, OtherFinalize)
  const calls: string[] = []
  const make = (Kind: typeof Finalize, name: string, exitPriority: number): unknown =>
    new Kind(null, (said: string) => calls.push(said), { args: [name], exitPriority })
  const Other = OtherFinalize as unknown as typeof Finalize
  make(Finalize, 'ours 1', 1)
  make(Other, 'theirs 1', 1)
  make(Finalize, 'ours 2', 2)
  make(Other, 'theirs 0', 0)
  make(Finalize, 'ours again 1', 1)
  runOtherFinalizers(1)
  t.deepEqual(calls.splice(0), ['ours 2', 'ours again 1', 'theirs 1', 'ours 1'])
  runFinalizers()
  t.deepEqual(calls, ['theirs 0'])
})

const wrong: Record<string, [args: unknown[], type: string, argument: string]> = {
  'no object': [[undefined, () => {}], 'TypeError', 'obj'],
  'a number': [[1, () => {}], 'TypeError', 'obj'],
  'a string': [['x', () => {}], 'TypeError', 'obj'],
  'a symbol': [[Symbol('x'), () => {}], 'TypeError', 'obj'],
  'no callback': [[{}], 'TypeError', 'callback'],
  'a callback that is none': [[{}, 'run'], 'TypeError', 'callback'],
  'null and no priority': [[null, () => {}], 'TypeError', 'options.exitPriority'],
  'null and no priority among options': [[null, () => {}, { args: [] }], 'TypeError', 'options.exitPriority'],
  'a priority that is not whole': [[{}, () => {}, { exitPriority: 1.5 }], 'RangeError', 'options.exitPriority'],
  'an infinite priority': [[{}, () => {}, { exitPriority: Infinity }], 'RangeError', 'options.exitPriority'],
  'a priority that is not safe': [[{}, () => {}, { exitPriority: 2 ** 53 }], 'RangeError', 'options.exitPriority'],
  NaN: [[{}, () => {}, { exitPriority: NaN }], 'RangeError', 'options.exitPriority'],
  'a boolean priority': [[{}, () => {}, { exitPriority: true }], 'TypeError', 'options.exitPriority'],
  'a priority of text': [[{}, () => {}, { exitPriority: '1' }], 'TypeError', 'options.exitPriority'],
  'null as priority': [[{}, () => {}, { exitPriority: null }], 'TypeError', 'options.exitPriority'],
  'arguments that are no array': [[{}, () => {}, { args: 'ab' }], 'TypeError', 'options.args'],
  'options that are none': [[{}, () => {}, 5], 'TypeError', 'options'],
}

for (const [what, [args, type, argument]] of Object.entries(wrong)) {
  test.serial(`refused, and nothing registered: ${what}`, (t) => {
    const construct = Finalize as unknown as new (...args: unknown[]) => unknown
    const error = argumentError(() => new construct(...args))
    t.is(error?.type, type)
    t.true(error?.message.includes(`"${argument}" argument`), error?.message)
    t.is(error?.code, type === 'RangeError' ? 'ERR_OUT_OF_RANGE' : 'ERR_INVALID_ARG_TYPE')
  })
}

test.serial('a minimum that is no number is refused, and nothing run', (t) => {
  const { calls, made } = spy()
  made('x', 0)
  for (const [minimum, type] of [
    ['0', 'TypeError'],
    [null, 'TypeError'],
    [true, 'TypeError'],
    [NaN, 'RangeError'],
  ] as const) {
    const error = argumentError(() => runFinalizers(minimum as never))
    t.is(error?.type, type)
    t.true(error?.message.includes('"minPriority" argument'), error?.message)
  }
  t.deepEqual(calls, [])
  runFinalizers(undefined)
  t.deepEqual(calls, ['x'])
})
