// Faults on demand, on real processes: workers that are killed, stopped or delayed at each point of a call, starts that
// fail, payloads and slots that are damaged. Host programs run them, with the binding that has the fault points.

import anyTest, { type ExecutionContext } from 'ava'
import type { ProcessPoolOptions } from 'millrace'
import { faultsBinding } from './helpers/faults.js'
import { runHost, startHost } from './helpers/hosts.js'
import { spawns } from './helpers/start-method.mjs'

const test = anyTest.serial

let binding = ''

test.before('the binding with the fault points is built', async (t) => {
  t.timeout(600_000)
  binding = await faultsBinding()
})

/** The mechanisms that other systems use. */
const portable = {
  MILLRACE_WAKEUP: 'pipe',
  MILLRACE_SENTINEL: 'waitpid',
  MILLRACE_POLLER: 'poll',
  MILLRACE_SEGMENT: 'shm',
}

// ---- A kill at every point ------------------------------------------------------------------------------------------

const workerPoints = [
  'before-claim',
  'after-claim',
  'mid-args',
  'block-borrowed',
  'before-call',
  'pages-populated',
  'result-reserved',
  'mid-result',
  'before-commit',
  'before-ring',
  'after-ring',
  'exit-handshake',
]

/**
 * The sizes that reach a point: lent content is not copied, and copied content is not lent. Only large content that is
 * kept needs fresh pages again and again.
 */
const sizesAt = (point: string): string[] => {
  if (point === 'mid-args') return ['small', 'large']
  return point === 'block-borrowed' || point === 'pages-populated' ? ['lent'] : ['small', 'large', 'lent']
}

interface Killed {
  point: string
  policy: string
  size: string
  problems: string[]
  /** The number of workers that were started. */
  workers: number
  /** The number of calls that failed. */
  failed: number
  /** The longest time from the start of a task to the failure of its call, in milliseconds. */
  delay: number
}

for (const wakeup of ['eventfd', 'pipe']) {
  test(`a kill at every point costs what it must and no more, with ${wakeup}, pidfd and waitpid`, async (t) => {
    t.timeout(600_000)
    const combinations = workerPoints.flatMap((point) =>
      ['break', 'isolate'].flatMap((policy) => sizesAt(point).map((size) => ({ point, policy, size }))),
    )
    const runs = ['pidfd', 'waitpid'].map(async (sentinel) => {
      const env = {
        NAPI_RS_NATIVE_LIBRARY_PATH: binding,
        MILLRACE_WAKEUP: wakeup,
        MILLRACE_SENTINEL: sentinel,
      }
      const host = startHost(t, 'faults-kill', combinations, { env, execArgv: ['--expose-gc'] })
      const results: Killed[] = []
      for (const combination of combinations) {
        const { problems, ...result } = await host.line<Killed>()
        t.like(result, combination)
        t.deepEqual(problems, [], `${sentinel}: ${JSON.stringify(result)}`)
        results.push({ problems, ...result })
      }
      t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
      await host.vanished()
      return results
    })
    const results = (await Promise.all(runs)).flat()
    const sum = (count: (result: Killed) => number): number => results.reduce((total, one) => total + count(one), 0)
    t.log(
      `${results.length} combinations, ${sum(({ workers }) => workers)} workers, ${sum(({ failed }) => failed)} calls lost`,
    )
    t.log(`at most ${Math.max(...results.map(({ delay }) => delay))} ms from the call of a task to its failure`)
  })
}

// ---- Everything else ------------------------------------------------------------------------------------------------

interface Case {
  name: string
  /** The fault of each worker. */
  fault?: string
  options?: ProcessPoolOptions
}

interface Seen {
  /** The outcome of each call, or the results of methods. */
  seen: unknown[]
  /** The calls that were started, in that order. */
  ran: number[]
  /** The ends of the workers: reason, and exit code or signal. */
  exits: string[]
  warnings: Record<string, unknown>[]
  left: string[]
}

/** Runs a case. `hostFault` is the fault of the host. */
function run(t: ExecutionContext, input: Case, env: Record<string, string> = {}, hostFault = ''): Promise<Seen> {
  const fault = { NAPI_RS_NATIVE_LIBRARY_PATH: binding, MILLRACE_FAULT: hostFault }
  return runHost<Seen>(t, 'faults-cases', input, { env: { ...fault, ...env } })
}

const timedOut = { name: 'TaskTimeoutError', code: 'ERR_MILLRACE_TASK_TIMEOUT' }
const terminated = { name: 'WorkerTerminatedError', code: 'ERR_MILLRACE_WORKER_TERMINATED' }
const notStarted = { name: 'WorkerSpawnError', syscall: 'posix_spawn', causeCode: 'EAGAIN' }

for (const [mechanisms, env] of Object.entries({ 'the usual': {}, portable })) {
  for (const point of ['after-claim', 'mid-args', 'before-call', 'result-reserved', 'mid-result', 'before-commit']) {
    const started = ['result-reserved', 'mid-result', 'before-commit'].includes(point)

    test(`a worker that stops at ${point} is ended by the time limit of its call, with ${mechanisms} mechanisms`, async (t) => {
      const { seen, ran, exits, warnings, left } = await run(t, { name: 'timeout', fault: `${point}:stop@2` }, env)
      t.like(seen, [0, timedOut, 2])
      t.deepEqual(ran, started ? [0, 1, 2] : [0, 2])
      t.deepEqual(exits, ['killed SIGTERM', 'shutdown 0'])
      t.deepEqual({ warnings, left }, { warnings: [], left: [] })
    })
  }

  test(`a call in a worker that stopped is not cancelled, unless by force, with ${mechanisms} mechanisms`, async (t) => {
    const { seen, ran, exits } = await run(t, { name: 'kill', fault: 'before-call:stop@2' }, env)
    t.deepEqual(seen, [0, 'cancelled', 2, false, true])
    t.deepEqual(ran, [0, 2])
    t.deepEqual(exits, ['killed SIGTERM', 'shutdown 0'])
  })

  test(`a call that a stopped worker has not claimed is cancelled and never runs, with ${mechanisms} mechanisms`, async (t) => {
    const { seen, ran, exits } = await run(t, { name: 'unclaimed', fault: 'before-claim:stop@2' }, env)
    t.deepEqual(seen, [0, 'cancelled', 'pending', true])
    t.deepEqual(ran, [0])
    t.deepEqual(exits, ['killed SIGKILL'])
  })

  for (const [name, signal] of [
    ['terminate', 'SIGTERM'],
    ['shutdown', 'SIGKILL'],
  ] as const) {
    test(`${name} ends a worker that stopped, with ${mechanisms} mechanisms`, async (t) => {
      const { seen, ran, exits } = await run(t, { name, fault: 'before-commit:stop@2' }, env)
      t.like(seen, [0, terminated, 'cancelled'])
      t.deepEqual(ran, [0, 1])
      t.deepEqual(exits, [`killed ${signal}`])
    })

    test(`${name} delivers the result that a stopped worker has not told of, with ${mechanisms} mechanisms`, async (t) => {
      const { seen, ran, exits } = await run(t, { name, fault: 'before-ring:stop@2' }, env)
      t.deepEqual(seen, [0, 1, 'cancelled'])
      t.deepEqual(ran, [0, 1])
      t.deepEqual(exits, [`killed ${signal}`])
    })
  }

  test(`a result that is committed beats the time limit, one that is not does not, with ${mechanisms} mechanisms`, async (t) => {
    const committed = await run(t, { name: 'late', fault: 'before-ring:delay=2500@2' }, env)
    t.deepEqual(committed.seen, [0, 1, 2])
    t.deepEqual(committed.exits, ['shutdown 0'])
    const written = await run(t, { name: 'late', fault: 'before-commit:delay=2500@2' }, env)
    t.like(written.seen, [0, timedOut, 2])
    t.deepEqual(written.ran, [0, 1, 2])
  })

  test(`a call is cancelled up to its claim and not afterwards, with ${mechanisms} mechanisms`, async (t) => {
    const before = await run(t, { name: 'cancelBefore', fault: 'before-claim:delay=2000@2' }, env)
    t.deepEqual(before.seen, [...Array<string>(4).fill('cancelled'), ...Array<boolean>(4).fill(true)])
    t.deepEqual(before.ran, [0])
    const after = await run(t, { name: 'cancelAfter', fault: 'after-claim:delay=600@2' }, env)
    t.deepEqual(after.seen, [1, ...Array<string>(3).fill('cancelled'), false, true, true, true])
    t.deepEqual(after.ran, [0, 1])
  })

  test(`a host that is slow to look loses nothing, with ${mechanisms} mechanisms`, async (t) => {
    const late = await run(t, { name: 'calls' }, env, 'host-first-turn:delay=400')
    t.deepEqual(late.seen, [0, 1, 2, 3, 4, 5])
    const bereaved = await run(t, { name: 'calls', fault: 'before-ring:kill@2' }, env, 'host-first-turn:delay=400')
    t.deepEqual(bereaved.seen, [0, 1, 2, 3, 4, 5])
    t.deepEqual(bereaved.ran, [0, 1, 2, 3, 4, 5])
    t.true(bereaved.exits.includes('died SIGKILL'))
  })
}

for (const onWorkerDeath of ['break', 'isolate'] as const) {
  const options = { maxWorkers: 2, onWorkerDeath }

  test(`of workers that have died before the host looks every committed result is delivered, under ${onWorkerDeath}`, async (t) => {
    const { seen, ran } = await run(t, { name: 'both', fault: 'before-ring:kill', options })
    t.deepEqual(seen, [0, 1])
    t.is(ran.length, 2)
  })

  test(`of workers that have died before the host looks each call fails, under ${onWorkerDeath}`, async (t) => {
    const { seen, ran } = await run(t, { name: 'both', fault: 'before-commit:kill', options })
    const name = onWorkerDeath === 'break' ? 'BrokenProcessPool' : 'WorkerDiedError'
    t.like(seen, [{ name }, { name }])
    t.is(ran.length, 2)
  })
}

test('workers that are slow to come to their first calls are waited for: no others are started', async (t) => {
  const options = { maxWorkers: 16 }
  const { seen, exits } = await run(t, { name: 'calls', fault: 'before-claim:delay=300', options })
  t.deepEqual(seen, [0, 1, 2, 3, 4, 5])
  t.true(exits.length <= 6, `${exits.length} workers`)
})

// The call starts a fork server, and the server starts the worker: so the call is waiting by then.
const spawnTest = spawns ? test : test.skip
spawnTest(
  'a worker that cannot be started fails the submit, of which nothing is kept, and the next one starts it',
  async (t) => {
    const { seen, ran, warnings } = await run(t, { name: 'spawn' }, {}, 'spawn:fail')
    t.like(seen, [notStarted, { queued: 0, running: 0, failed: 0, workers: 0 }, 1, 2])
    t.deepEqual(ran, [1, 2])
    t.deepEqual(warnings, [])
  },
)

test('a second worker that cannot be started is a warning', async (t) => {
  const { seen, ran, warnings } = await run(t, { name: 'spawn', options: { maxWorkers: 2 } }, {}, 'spawn:fail@2')
  t.deepEqual(seen, [0, 1, 2])
  t.deepEqual([...ran].sort(), [0, 1, 2])
  t.like(warnings, [notStarted])
})

test('a worker that could not be started is started a moment later, if calls wait for it', async (t) => {
  const { seen, warnings } = await run(t, { name: 'second', options: { maxWorkers: 2 } }, {}, 'spawn:fail@2')
  t.deepEqual(seen, [1, true])
  t.like(warnings, [notStarted])
})

for (const onWorkerDeath of ['break', 'isolate'] as const) {
  test(`the last worker that cannot be replaced fails what waits, under ${onWorkerDeath}`, async (t) => {
    const options = { onWorkerDeath }
    const once = await run(t, { name: 'respawn', options }, {}, 'spawn:fail@2')
    // For want of a process there is one more attempt.
    t.like(once.seen, [0, timedOut, 2, 3, 4])
    t.deepEqual(once.ran, [0, 1, 2, 3, 4])
    const always = await run(t, { name: 'respawn', options }, {}, 'spawn:fail@2+')
    t.like(always.seen, [0, timedOut, notStarted, notStarted, notStarted])
    t.deepEqual(always.ran, [0, 1])
  })

  test(`a damaged payload fails its call only, under ${onWorkerDeath}`, async (t) => {
    const options = { onWorkerDeath }
    const call = await run(t, { name: 'calls', options }, {}, 'call-frame:corrupt@2')
    t.like(call.seen, [0, { name: 'SerializationError', stage: 'arguments' }, 2, 3, 4, 5])
    t.deepEqual(call.ran, [0, 2, 3, 4, 5])
    t.deepEqual(call.exits, ['shutdown 0'])
    const result = await run(t, { name: 'calls', options, fault: 'result-frame:corrupt@2' })
    t.like(result.seen, [0, { name: 'SerializationError', stage: 'result' }, 2, 3, 4, 5])
    t.deepEqual(result.ran, [0, 1, 2, 3, 4, 5])
    t.deepEqual(result.exits, ['shutdown 0'])
  })
}

test('a worker that finds its call slot damaged ends, and the call with it', async (t) => {
  const { seen, ran, exits } = await run(t, { name: 'calls' }, {}, 'call-slot:corrupt@2')
  t.like(seen, [0, { name: 'WorkerDiedError', signal: 'SIGABRT', task: 2 }, 2, 3, 4, 5])
  t.deepEqual(ran, [0, 2, 3, 4, 5])
  t.deepEqual(exits, ['died SIGABRT', 'shutdown 0'])
})

test('a worker that damages a result slot is killed, and what its lane held is lost', async (t) => {
  const { seen, ran, exits } = await run(t, { name: 'calls', fault: 'result-slot:corrupt@2' })
  t.deepEqual([...new Set(ran)], ran, 'a call ran twice')
  t.is(seen[0], 0)
  const died = { name: 'WorkerDiedError', signal: 'SIGKILL' }
  for (const [id, one] of seen.entries()) {
    if (one === id) t.true(ran.includes(id))
    else t.like(one, died)
  }
  t.regex((seen[1] as Error).message, /damaged its shared memory: the length or the block of a result/)
  t.true(exits.length >= 2 && exits.slice(0, -1).every((exit) => exit === 'died SIGKILL'))
})

for (const [side, hostFault, fault] of [
  ['a call slot', 'call-slot:corrupt@2', undefined],
  ['a result slot', '', 'result-slot:corrupt@2'],
] as const) {
  test(`damage to ${side} breaks a pool that breaks`, async (t) => {
    const input = {
      name: 'calls',
      options: { onWorkerDeath: 'break' },
      ...(fault === undefined ? {} : { fault }),
    } as const
    const { seen, exits } = await run(t, input, {}, hostFault)
    const broken = { name: 'BrokenProcessPool', task: 2 }
    t.like(seen, [0, broken, broken, broken, broken, broken])
    t.is(exits.length, 1)
  })
}

// ---- Fresh pages ----------------------------------------------------------------------------------------------------

for (const [time, fault] of [
  ['first', 'pages-populated:kill'],
  ['third', 'pages-populated:kill@3'],
] as const) {
  test(`a host that dies when it has populated pages for the ${time} time, and used none, leaves nothing`, async (t) => {
    const env = { NAPI_RS_NATIVE_LIBRARY_PATH: binding, MILLRACE_FAULT: fault }
    const host = startHost(t, 'faults-cases', { name: 'large' }, { env })
    t.deepEqual(await host.ended(), { code: null, signal: 'SIGKILL' }, host.errors)
    await host.vanished()
  })
}

// ---- The variable itself --------------------------------------------------------------------------------------------

for (const value of [
  'nowhere',
  'spawn:kill',
  'before-claim:delay',
  'mid-args:kill=1',
  'before-claim@0',
  'after-ring@x',
  ':',
]) {
  test(`MILLRACE_FAULT=${value} is refused, and named`, async (t) => {
    const input = { name: 'calls' }
    const env = { NAPI_RS_NATIVE_LIBRARY_PATH: binding, MILLRACE_FAULT: value }
    const { refused } = await runHost<{ refused: Error }>(t, 'faults-cases', input, { env })
    t.true(refused.message.includes(`MILLRACE_FAULT=${value}`), refused.message)
  })
}

test('a fault that makes no sense in the environment of the workers ends their starts, and they say why', async (t) => {
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: binding }
  const host = startHost(t, 'faults-cases', { name: 'calls', fault: 'nowhere' }, { env })
  const { seen } = await host.line<Seen>()
  t.like(seen[0], { name: 'BrokenProcessPool' })
  await host.ended()
  t.regex(host.errors, /MILLRACE_FAULT=nowhere is not of the form/)
})

test('the plain binding has no faults, whatever the variable says', async (t) => {
  for (const fault of ['before-claim:kill', 'spawn:fail', 'nowhere']) {
    const env = { MILLRACE_FAULT: fault, NAPI_RS_NATIVE_LIBRARY_PATH: '' }
    const { seen, exits } = await runHost<Seen>(t, 'faults-cases', { name: 'calls' }, { env })
    t.deepEqual(seen, [0, 1, 2, 3, 4, 5])
    t.deepEqual(exits, ['shutdown 0'])
  }
})
