// Finalizers at the end of a program, a thread or a worker, and their order. Every case is a program of its own.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Ending, startHost } from './helpers/hosts.js'
import { tempDirectory } from './helpers/pool.js'

interface Run {
  lines: unknown[]
  ending: Ending
  errors: string
}

/** Runs a program of `hosts/finalizers.mjs` to its end. Returns all that it says; nothing of it is left then. */
async function runToEnd(t: ExecutionContext, program: string, input: object = {}): Promise<Run> {
  const host = startHost(t, 'finalizers', { program, ...input })
  const ending = await host.ended()
  const lines = await host.lines()
  await host.vanished()
  return { lines, ending, errors: host.errors }
}

/** The words of the finalizers around a pool, each with the number of children: the worker is gone below 15. */
const aroundPool = [
  [16, 1],
  [14, 0],
  [10, 0],
  [0, 0],
  [-5, 0],
  [-100, 0],
]

const ways: Record<string, number> = {
  'the loop drains': 0,
  'process.exit()': 3,
  'process.exit() in a callback of a pass': 3,
  'process.exit() as deep in passes as they go': 3,
  'an uncaught error': 1,
  'an unhandled rejection': 1,
  'a handler of SIGTERM': 3,
}

for (const [end, code] of Object.entries(ways)) {
  test.serial(`finalizers run in their order, around the end of a pool: ${end}`, async (t) => {
    const { lines, ending } = await runToEnd(t, 'around a pool', { end })
    // 'exit' listeners run in the order of their registration. The finalizers' listener came before the program's.
    t.deepEqual(lines, [...aroundPool, [code, 'object']])
    t.deepEqual(ending, { code, signal: null })
  })
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test.serial(`a program that a signal ends runs nothing: ${signal}`, async (t) => {
    const host = startHost(t, 'finalizers', { program: 'around a pool', end: 'waits' })
    t.is(await host.line(), 'waiting')
    host.signal(signal)
    t.deepEqual(await host.ended(), { code: null, signal })
    t.deepEqual(await host.lines(), [])
    await host.vanished()
  })
}

test.serial('pools take no calls of finalizers at the exit', async (t) => {
  const { lines, errors } = await runToEnd(t, 'calls that come too late')
  t.deepEqual(lines, ['ShutdownError', 'ShutdownError'])
  t.is(errors, '')
})

test.serial('what is thrown at the exit is printed, and stops nothing', async (t) => {
  const { lines, ending, errors } = await runToEnd(t, 'what goes wrong')
  t.deepEqual(lines, ['first', 'last'])
  t.deepEqual(ending, { code: 0, signal: null })
  t.regex(errors, /\[MILLRACE_FINALIZER\] MillraceWarning: exception in the finalizer 'thrower'\nError: boom\n/)
  t.regex(errors, /The finalizer 'promiser' returned a promise, which nothing waits for/)
})

test.serial('what is registered at the exit runs; what is below 0 comes last', async (t) => {
  const { lines } = await runToEnd(t, 'what is registered meanwhile')
  t.deepEqual(lines, ['-0.5', '0', 'late 100', 'late -1', '-5'])
})

test.serial('a callback that registers itself for ever does not keep the process', async (t) => {
  const { lines, ending, errors } = await runToEnd(t, 'registers for ever')
  t.deepEqual(lines, ['-1'])
  t.deepEqual(ending, { code: 0, signal: null })
  t.regex(errors, /more than 10000 others/)
})

test.serial('a full pass and the end at once: the worker is gone, and nothing runs twice', async (t) => {
  const { lines, ending, errors } = await runToEnd(t, 'a full pass, then process.exit()')
  t.deepEqual(
    lines.map((line) => (Array.isArray(line) ? line[0] : line)),
    [16, 14, 10, 0, -5, -100, 'object'],
  )
  t.deepEqual([ending, errors], [{ code: 0, signal: null }, ''])
})

test.serial('runFinalizersAsync() at the end of a program may use its pools', async (t) => {
  const { lines, ending, errors } = await runToEnd(t, 'asynchronous, at the end of the program')
  t.deepEqual(lines, [true, '0', 'passed'])
  t.deepEqual([ending, errors], [{ code: 0, signal: null }, ''])
})

for (const end of ['the loop drains', 'process.exit()', 'an uncaught error', 'an unhandled rejection']) {
  test.serial(`a thread runs its own finalizers at its end, and no others: ${end}`, async (t) => {
    const { lines } = await runToEnd(t, 'a thread', { end })
    t.deepEqual(lines, [...aroundPool, 'object', 'the thread has ended', 'main'])
  })
}

test.serial('a thread that is terminated runs nothing, and its workers go all the same', async (t) => {
  const { lines } = await runToEnd(t, 'a thread', { terminated: true })
  t.deepEqual(lines, ['the thread has ended', 'main'])
})

for (const end of ['shutdown', 'recycled', 'idle', 'drained', 'exit', 'stray', 'killed']) {
  test.serial(`a worker runs its finalizers when it leaves, and none of its parent's: ${end}`, async (t) => {
    const path = join(tempDirectory(t), 'lines')
    const { lines, ending, errors } = await runToEnd(t, 'a worker', { end, path })
    t.deepEqual([lines, ending], [['main'], { code: 0, signal: null }], errors)
    const said = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
    t.deepEqual(said, end === 'killed' ? [] : ['20', '0', '-100', 'then, with object'])
  })
}
