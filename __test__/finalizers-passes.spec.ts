// Passes that are disturbed: by callbacks that register, cancel, throw, return promises or start passes of their own.

import { setImmediate as turn } from 'node:timers/promises'
import anyTest from 'ava'
import { Finalize, runFinalizers, runFinalizersAsync } from 'millrace'
import { spy } from './helpers/finalizers.js'
import { collectWarnings } from './helpers/futures.js'

const test = anyTest.serial

// All tests of this thread share one registry: no finalizer of another test is left in it.
anyTest.beforeEach(() => runFinalizers())

test('what is cancelled or called during a pass is skipped', (t) => {
  const { calls, made } = spy()
  const cancelled = made('cancelled', 1)
  const called = made('called', 2)
  new Finalize(
    null,
    () => {
      called.call()
      cancelled.cancel()
      calls.push('first')
    },
    { exitPriority: 3 },
  )
  made('last', 0)
  runFinalizers()
  t.deepEqual(calls, ['called', 'first', 'last'])
})

test('what is registered during a pass with a minimum waits for the next one', (t) => {
  const { calls, made } = spy()
  new Finalize(null, () => made('late', 100), { exitPriority: 1 })
  made('after', 0)
  runFinalizers(0)
  t.deepEqual(calls.splice(0), ['after'])
  runFinalizers(0)
  t.deepEqual(calls, ['late'])
})

test('what is registered during a full pass runs in it, in its order', (t) => {
  const { calls, made } = spy()
  new Finalize(
    null,
    () => {
      made('late 1', 1)
      made('late 7', 7)
      new Finalize(null, () => made('later', 1), { exitPriority: -1 })
    },
    { exitPriority: 5 },
  )
  const held = {}
  let forgotten: Finalize | undefined
  new Finalize(null, () => (forgotten = new Finalize(held, () => calls.push('none'))), { exitPriority: 4 })
  made('0', 0)
  runFinalizers()
  t.deepEqual(calls, ['0', 'late 7', 'late 1', 'later'])
  t.false(forgotten!.stillActive())
})

test('a pass inside of a pass runs what is left; nothing runs twice', (t) => {
  const { calls, made } = spy()
  made('3', 3)
  new Finalize(
    null,
    () => {
      calls.push('nested from here')
      runFinalizers(1)
      calls.push('to here')
    },
    { exitPriority: 2 },
  )
  made('1', 1)
  made('0', 0)
  runFinalizers()
  t.deepEqual(calls, ['3', 'nested from here', '1', 'to here', '0'])
})

test('what is thrown is a warning, and stops nothing', async (t) => {
  const { calls, made } = spy()
  const thrown = [new Error('boom'), undefined, 'text', { toString: null, [Symbol.toPrimitive]: 1 }]
  made('first', 10)
  for (const [index, one] of thrown.entries()) {
    new Finalize(
      null,
      function thrower() {
        throw one
      },
      { exitPriority: 9 - index },
    )
  }
  made('last', 0)
  const warnings = await collectWarnings(() => runFinalizers())
  t.deepEqual(calls, ['first', 'last'])
  t.deepEqual(
    warnings.map(({ cause }) => cause),
    thrown,
  )
  for (const warning of warnings) {
    t.is((warning as NodeJS.ErrnoException).code, 'MILLRACE_FINALIZER')
    t.is(warning.message, "exception in the finalizer 'thrower'")
  }
})

test('a promise in a pass that does not wait is a warning, and so is its rejection', async (t) => {
  const { calls, made } = spy()
  const error = new Error('later')
  new Finalize(
    null,
    async function fails() {
      throw error
    },
    { exitPriority: 2 },
  )
  new Finalize(null, async function takesTime() {}, { exitPriority: 1 })
  made('last', 0)
  const warnings = await collectWarnings(() => runFinalizers())
  t.deepEqual(calls, ['last'])
  t.deepEqual(warnings.map(({ message }) => message).toSorted(), [
    "The finalizer 'fails' returned a promise, which runFinalizers() does not wait for: use runFinalizersAsync()",
    "The finalizer 'takesTime' returned a promise, which runFinalizers() does not wait for: use runFinalizersAsync()",
    "exception in the finalizer 'fails'",
  ])
  t.true(warnings.some(({ cause }) => cause === error))
})

test('runFinalizersAsync() waits for each before it calls the next', async (t) => {
  const { calls, made } = spy()
  const error = new Error('later')
  const step = (name: string, exitPriority: number): unknown =>
    new Finalize(
      null,
      async () => {
        calls.push(`${name} begins`)
        await turn()
        if (name === 'b') throw error
        calls.push(`${name} ends`)
      },
      { exitPriority },
    )
  step('a', 3)
  step('b', 2)
  made('c', 1)
  let passed: Promise<void> | undefined
  const warnings = await collectWarnings(() => (passed = runFinalizersAsync(1)))
  await passed
  t.deepEqual(calls, ['a begins', 'a ends', 'b begins', 'c'])
  t.deepEqual(
    warnings.map(({ cause }) => cause),
    [error],
  )
})

test('runFinalizersAsync() runs what is registered while it waits; what a meanwhile pass ran is skipped', async (t) => {
  const { calls, made } = spy()
  new Finalize(
    null,
    async () => {
      await turn()
      made('late', 0)
      runFinalizers(5)
    },
    { exitPriority: 10 },
  )
  made('by the other', 5)
  made('1', 1)
  await runFinalizersAsync()
  t.deepEqual(calls, ['by the other', '1', 'late'])
})

test('runFinalizersAsync() checks its argument at the call', (t) => {
  t.throws(() => runFinalizersAsync('1' as never), { instanceOf: TypeError, message: /"minPriority"/ })
})

for (const [how, circle] of Object.entries({
  'registers itself again': () => {},
  'registers itself again and starts a pass': () => runFinalizers(),
})) {
  test(`a callback that ${how}, for ever, ends with a warning, and the others run`, async (t) => {
    const { calls, made } = spy()
    let rounds = 0
    let latest: Finalize | undefined
    const again = (): void => {
      rounds++
      latest = new Finalize(null, again, { exitPriority: 10 })
      circle()
    }
    new Finalize(null, again, { exitPriority: 10 })
    made('other', 0)
    const warnings = await collectWarnings(() => runFinalizers())
    t.deepEqual(calls, ['other'])
    t.is(warnings.length, 1, String(warnings))
    t.regex(warnings[0]!.message, /more than 10000 others .* 1 are left/)
    t.true(rounds > 10_000 && rounds < 11_000, String(rounds))
    // The entries that are left are no debt of the next pass.
    latest!.cancel()
    made('next', 0)
    t.deepEqual(await collectWarnings(() => runFinalizers()), [])
    t.deepEqual(calls, ['other', 'next'])
  })
}

test('a long chain of callbacks that register others is no circle', async (t) => {
  let length = 0
  const link = (): void => {
    if (++length < 5000) new Finalize(null, link, { exitPriority: 0 })
  }
  new Finalize(null, link, { exitPriority: 0 })
  t.deepEqual(await collectWarnings(() => runFinalizers()), [])
  t.is(length, 5000)
})
