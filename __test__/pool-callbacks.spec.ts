// The callbacks of jobs: when and how often they are called, and the effect of their errors.

import test from 'ava'
import type { AsyncResult } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { failureOf, finish, rejection, startPool } from './helpers/pools.js'
import { until, within } from './helpers/waiting.js'

test('a job that succeeds calls callback once, before its result is ready', async (t) => {
  const pool = startPool(t)
  const seen: unknown[] = []
  const result: AsyncResult<number> = pool.applyAsync(tasks.add, [1, 2], {
    callback: (value) => seen.push(value, result.ready()),
    errorCallback: () => seen.push('error'),
  })
  t.is(await result, 3)
  t.deepEqual(seen, [3, false])
})

test('a job that fails calls errorCallback once, before its result is ready', async (t) => {
  const pool = startPool(t)
  const seen: unknown[] = []
  const result: AsyncResult<never> = pool.applyAsync(tasks.fail, ['no'], {
    callback: () => seen.push('value'),
    errorCallback: (error) => seen.push(error, result.ready()),
  })
  const error = await failureOf(result)
  t.deepEqual(seen, [error, false])
})

test('a map calls them once, with the list or with the first error', async (t) => {
  const pool = startPool(t)
  const seen: unknown[] = []
  const callbacks = {
    callback: (values: number[]) => seen.push(values),
    errorCallback: (error: Error) => seen.push(error.message),
  }
  await pool.mapAsync(tasks.double, [1, 2, 3], { ...callbacks, chunksize: 1 })
  await pool.starmapAsync(tasks.add, [[1, 2]], callbacks)
  await pool.mapAsync(() => assertNever(), [1, 2, 3], { ...callbacks, chunksize: 3 }).wait()
  t.is(seen.length, 3)
  t.deepEqual(seen.slice(0, 2), [[2, 4, 6], [3]])
  t.regex(String(seen[2]), /assertNever/)
})

/** A function of this file that no worker has. */
function assertNever(): number {
  return 0
}

test('a map of nothing calls its callback with an empty list', async (t) => {
  const pool = startPool(t, 1)
  const seen: unknown[] = []
  await pool.mapAsync(tasks.double, [], { callback: (values) => seen.push(values), errorCallback: (e) => seen.push(e) })
  await pool.starmapAsync(tasks.add, [], { callback: (values) => seen.push(values) })
  t.deepEqual(seen, [[], []])
})

for (const thrown of [new TypeError('of the callback'), undefined, null, 0, '']) {
  test(`a callback that throws ${String(thrown)} makes that its job's outcome, and the pool lives`, async (t) => {
    const pool = startPool(t, 1)
    const callback = (): never => {
      throw thrown
    }
    for (const result of [
      pool.applyAsync(tasks.add, [1, 2], { callback }),
      pool.mapAsync(tasks.double, [1, 2], { callback }),
      pool.mapAsync(tasks.double, [], { callback }),
    ]) {
      await within('it is ready', result.wait())
      t.false(result.successful())
      t.is(await rejection(result), thrown as never)
    }
    t.is(await pool.apply(tasks.add, [1, 2]), 3)
    await finish(pool)
  })
}

test('an errorCallback that throws makes that the error, with the original at the end of its causes', async (t) => {
  const pool = startPool(t, 1)
  const middle = new Error('middle')
  const thrown = new TypeError('of the callback', { cause: middle })
  const result = pool.applyAsync(tasks.fail, ['original'], {
    errorCallback: () => {
      throw thrown
    },
  })
  t.is(await failureOf(result), thrown)
  t.is(thrown.cause, middle)
  t.is((middle.cause as Error).message, 'original')
  t.is((result.errors[0] as Error).message, 'original')
  t.is(await pool.apply(tasks.add, [1, 2]), 3)
})

test('an errorCallback may throw what it was given, or something around it', async (t) => {
  const pool = startPool(t, 1)
  const again = await failureOf(
    pool.applyAsync(tasks.fail, ['same'], {
      errorCallback: (error) => {
        throw error
      },
    }),
  )
  t.is(again.message, 'same')
  t.is(again.cause, undefined)
  const around = await failureOf(
    pool.applyAsync(tasks.fail, ['inner'], {
      errorCallback: (cause) => {
        throw new Error('outer', { cause })
      },
    }),
  )
  t.deepEqual([around.message, around.cause.message, around.cause.cause], ['outer', 'inner', undefined])
})

const awkward: Record<string, () => unknown> = {
  'a number': () => 42,
  'a frozen error': () => Object.freeze(new Error('frozen')),
  'causes that go in a circle': () => {
    const one = new Error('one')
    one.cause = new Error('two', { cause: one })
    return one
  },
  'an error with a cause that is none': () => new Error('odd', { cause: 'text' }),
  'a proxy': () => new Proxy(new Error('behind'), { getOwnPropertyDescriptor: () => assertNever() as never }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable(new Error('gone'), {})
    revoke()
    return proxy
  },
}
for (const [name, make] of Object.entries(awkward)) {
  test(`the original error is kept when an errorCallback throws ${name}`, async (t) => {
    const pool = startPool(t, 1)
    const error = await failureOf(
      pool.applyAsync(tasks.fail, ['original'], {
        errorCallback: () => {
          throw make()
        },
      }),
    )
    t.regex(error.message, /^errorCallback threw /)
    t.is(error.cause.message, 'original')
    t.is(await pool.apply(tasks.add, [1, 2]), 3)
  })
}

test('a promise that a callback returns is not waited for, and its rejection is a warning', async (t) => {
  const warnings: Error[] = []
  const note = (warning: Error): void => void warnings.push(warning)
  process.on('warning', note)
  t.teardown(() => process.off('warning', note))
  const pool = startPool(t, 1)
  const callback = async (): Promise<never> => {
    throw new Error('too late')
  }
  t.is(await pool.applyAsync(tasks.add, [1, 2], { callback }), 3)
  await until('the warning', () => warnings.some(({ message }) => /callback for <AsyncResult/.test(message)))
})

test('callbacks may call anything of their pool', async (t) => {
  const pool = startPool(t, 1)
  const inner = await new Promise<AsyncResult<number>>((resolve) => {
    pool.applyAsync(tasks.add, [1, 2], { callback: (sum) => resolve(pool.applyAsync(tasks.double, [sum])) })
  })
  t.is(await inner, 6)
  const joined = new Promise<void>((resolve, reject) => {
    pool.applyAsync(tasks.pid, [], {
      callback: () => {
        pool.close()
        pool.join().then(resolve, reject)
      },
    })
  })
  await within('the end, from a callback', joined)
})

test('a callback that terminates its pool has its own job keep its outcome, and fails all others', async (t) => {
  const pool = startPool(t, 1)
  let ended: Promise<void> | undefined
  const codes: string[] = []
  const first = pool.applyAsync(tasks.add, [1, 2], { callback: () => (ended = pool.terminate()) })
  const errorCallback = (error: { code: string }): void => {
    codes.push(error.code)
    // Nested once more.
    void pool.terminate()
  }
  const others = Array.from({ length: 20 }, () => pool.applyAsync(tasks.block, [100_000, 0], { errorCallback }))
  const mapped = pool.mapAsync(tasks.pid, [1], { errorCallback })
  t.is(await within('its outcome', first), 3)
  await within('the end', ended!)
  t.true([...others, mapped].every((result) => result.ready() && !result.successful()))
  t.deepEqual(
    codes,
    Array.from({ length: 21 }, () => 'ERR_MILLRACE_POOL_TERMINATED'),
  )
})
