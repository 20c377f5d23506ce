// The option `retries`: its checks, the pauses, and which failures count.

import test from 'ava'
import { TaskExitError, TaskTimeoutError, TimeoutError, WorkerDiedError } from '../src/errors/index.js'
import { type RetryOptions, RetryPolicy } from '../src/futures/retry-policy.js'
import { sendError } from './helpers/codec.js'

const death = new WorkerDiedError('died', { pid: 1, exitCode: null, signal: 'SIGKILL' })
const timeout = new TaskTimeoutError('too long', { timeout: 1, pid: 1 })

function policy(retries: number | RetryOptions): RetryPolicy {
  return RetryPolicy.of(retries)!
}

/** The pauses after the attempts 1, 2, … until there is none. */
function pauses(retries: number | RetryOptions): number[] {
  const it = policy(retries)
  const list: number[] = []
  for (let attempt = 1; ; attempt++) {
    const pause = it.pause(death, attempt)
    if (pause === undefined) return list
    list.push(pause)
  }
}

test('no retries are no policy', (t) => {
  for (const none of [undefined, 0, { limit: 0 }]) t.is(RetryPolicy.of(none), undefined)
})

test('wrong retries are refused with the name of the option', (t) => {
  const refused: [unknown, string, RegExp][] = [
    [-1, 'ERR_OUT_OF_RANGE', /"options\.retries"/],
    [1.5, 'ERR_OUT_OF_RANGE', /"options\.retries"/],
    [Infinity, 'ERR_OUT_OF_RANGE', /"options\.retries"/],
    [2 ** 32, 'ERR_OUT_OF_RANGE', /"options\.retries"/],
    ['3', 'ERR_INVALID_ARG_TYPE', /"options\.retries" .* a whole number or an object/],
    [null, 'ERR_INVALID_ARG_TYPE', /"options\.retries"/],
    [true, 'ERR_INVALID_ARG_TYPE', /"options\.retries"/],
    [[3], 'ERR_INVALID_ARG_TYPE', /"options\.retries"/],
    [{}, 'ERR_INVALID_ARG_TYPE', /"options\.retries\.limit"/],
    [{ delay: 10 }, 'ERR_INVALID_ARG_TYPE', /"options\.retries\.limit"/],
    [{ limit: -1 }, 'ERR_OUT_OF_RANGE', /"options\.retries\.limit"/],
    [{ limit: 1, delay: -1 }, 'ERR_OUT_OF_RANGE', /"options\.retries\.delay"/],
    [{ limit: 1, delay: NaN }, 'ERR_OUT_OF_RANGE', /"options\.retries\.delay"/],
    [{ limit: 1, delay: Infinity }, 'ERR_OUT_OF_RANGE', /"options\.retries\.delay"/],
    [{ limit: 1, delay: '1' }, 'ERR_INVALID_ARG_TYPE', /"options\.retries\.delay"/],
    [{ limit: 1, factor: 0.5 }, 'ERR_OUT_OF_RANGE', /"options\.retries\.factor"/],
    [{ limit: 1, jitter: 1.1 }, 'ERR_OUT_OF_RANGE', /"options\.retries\.jitter"/],
    [{ limit: 1, jitter: true }, 'ERR_INVALID_ARG_TYPE', /"options\.retries\.jitter"/],
    [{ limit: 1, maxDelay: -1 }, 'ERR_OUT_OF_RANGE', /"options\.retries\.maxDelay"/],
    [{ limit: 1, when: 'always' }, 'ERR_INVALID_ARG_TYPE', /"options\.retries\.when"/],
    [{ limit: 1, maxdelay: 1 }, 'ERR_INVALID_ARG_VALUE', /"options\.retries\.maxdelay" .* mean "maxDelay"/],
    [{ limit: 1, backoff: 1 }, 'ERR_INVALID_ARG_VALUE', /"options\.retries\.backoff" .* limit, delay, factor/],
    [Object.create({ limit: 1 }), 'ERR_INVALID_ARG_VALUE', /"options\.retries\.limit" .* inherited/],
  ]
  for (const [retries, code, message] of refused) {
    t.throws(() => RetryPolicy.of(retries as number), { code, message }, JSON.stringify(retries))
  }
})

test('there are no more repetitions than the limit says', (t) => {
  t.deepEqual(pauses(3), [0, 0, 0])
  t.deepEqual(pauses({ limit: 3 }), [0, 0, 0])
  t.is(policy({ limit: 3 }).limit, 3)
})

test('each pause is longer than the one before by the factor, up to the longest pause', (t) => {
  t.deepEqual(pauses({ limit: 3, delay: 100 }), [100, 100, 100])
  t.deepEqual(pauses({ limit: 4, delay: 100, factor: 2 }), [100, 200, 400, 800])
  t.deepEqual(pauses({ limit: 4, delay: 100, factor: 2, maxDelay: 300 }), [100, 200, 300, 300])
  t.deepEqual(pauses({ limit: 2, delay: 100, maxDelay: 0 }), [0, 0])
})

test('a pause is a finite number, however often the factor is applied', (t) => {
  t.is(policy({ limit: 5000, delay: 1, factor: 2 }).pause(death, 5000), Number.MAX_VALUE)
  t.is(policy({ limit: 5000, delay: 1, factor: 2, maxDelay: 10 }).pause(death, 5000), 10)
  t.is(policy({ limit: 5000, delay: 0, factor: 2 }).pause(death, 5000), 0)
})

test('jitter shortens each pause by chance, and by no more than its share', (t) => {
  const all = pauses({ limit: 1000, delay: 1000, jitter: 0.25, maxDelay: 400 })
  t.true(all.every((pause) => pause > 300 - 1e-9 && pause <= 400))
  t.true(new Set(all).size > 900)
})

test('without when, deaths and time-outs are followed by another attempt, and nothing else is', (t) => {
  for (const retries of [1, { limit: 1 }]) {
    t.is(policy(retries).pause(death, 1), 0)
    t.is(policy(retries).pause(timeout, 1), 0)
    const others = [
      new Error('thrown'),
      new TaskExitError('exit', { exitCode: 1 }),
      new TimeoutError('wait'),
      'x',
      undefined,
    ]
    for (const other of others) t.is(policy(retries).pause(other, 1), undefined)
  }
})

test('a death that the task reports of a pool of its own is an error of the task', (t) => {
  const arrived = sendError(death)
  t.true(arrived instanceof WorkerDiedError)
  t.is(policy(1).pause(arrived, 1), undefined)
})

test('when decides on every failure, and is not asked after the last attempt', (t) => {
  const asked: unknown[] = []
  const it = policy({
    limit: 2,
    delay: 5,
    when: (error, attempt) => {
      asked.push([error, attempt])
      return error === 'again'
    },
  })
  t.is(it.pause('again', 1), 5)
  t.is(it.pause(death, 2), undefined)
  t.is(it.pause('again', 3), undefined)
  t.deepEqual(asked, [
    ['again', 1],
    [death, 2],
  ])
})

test('what when throws has the failure as its cause, if it can have one', (t) => {
  const thrownBy = (value: unknown): unknown => {
    try {
      policy({
        limit: 1,
        when: () => {
          throw value
        },
      }).pause(death, 1)
    } catch (error) {
      return error
    }
    return t.fail()
  }
  const plain = new Error('mistake')
  t.is(thrownBy(plain), plain)
  t.is(plain.cause, death)
  const caused = new Error('mistake', { cause: undefined })
  t.is(thrownBy(caused), caused)
  t.is(caused.cause, undefined)
  t.is(thrownBy(death), death)
  t.is(death.cause, undefined)
  const frozen = Object.freeze(new Error('frozen'))
  t.is(thrownBy(frozen), frozen)
  t.is(thrownBy('text'), 'text')
})

test('a when that answers later is a mistake, not a yes', (t) => {
  const when = (async () => false) as unknown as () => boolean
  const error = t.throws(() => policy({ limit: 1, when }).pause(death, 1), { code: 'ERR_INVALID_ARG_TYPE' })
  t.is(error?.cause, death)
})
