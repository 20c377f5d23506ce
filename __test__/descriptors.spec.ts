// Descriptors: tasks that close the descriptors on which their worker depends, and a host that has none left.

import { execFileSync } from 'node:child_process'
import { getSystemErrorName } from 'node:util'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { runHost } from './helpers/hosts.js'

for (const wakeup of ['eventfd', 'pipe']) {
  test.serial(`a task that closes the low numbers hurts nobody (${wakeup})`, async (t) => {
    const outcomes = await runHost(t, 'closes', { from: 3, to: 6 }, { env: { MILLRACE_WAKEUP: wakeup } })
    t.deepEqual(outcomes, Array(6).fill('value'))
  })

  test.serial(`a task that closes everything ends its worker, and its call at most (${wakeup})`, async (t) => {
    const outcomes = await runHost<string[]>(t, 'closes', { from: 3, to: 2000 }, { env: { MILLRACE_WAKEUP: wakeup } })
    t.log(outcomes.join())
    for (const outcome of outcomes.slice(0, 2)) t.true(['value', 'WorkerDiedError'].includes(outcome), outcome)
    t.deepEqual(outcomes.slice(2), Array(4).fill('value'))
  })

  test.serial(`a task that closes the worker's own ends it, and its call at most (${wakeup})`, async (t) => {
    const outcomes = await runHost<string[]>(
      t,
      'closes',
      { from: 1024, to: 1040 },
      { env: { MILLRACE_WAKEUP: wakeup } },
    )
    t.log(outcomes.join())
    for (const outcome of outcomes.slice(0, 2)) t.true(['value', 'WorkerDiedError'].includes(outcome), outcome)
    t.deepEqual(outcomes.slice(2), Array(4).fill('value'))
  })
}

test.serial('a pool for which there are no descriptors is a WorkerSpawnError that names the system call', (t) => {
  const program = fileURLToPath(new URL('hosts/no-descriptors.mjs', import.meta.url))
  const script = 'ulimit -n 120; exec "$0" "$1"'
  const env = { ...process.env, NODE_OPTIONS: '' }
  const output = execFileSync('/bin/sh', ['-c', script, process.execPath, program], { env, encoding: 'utf8' })
  const { name, message, code, cause, value } = JSON.parse(output)
  t.deepEqual([name, code], ['WorkerSpawnError', 'ERR_MILLRACE_WORKER_SPAWN'])
  t.is(cause.code, 'EMFILE')
  t.is(getSystemErrorName(cause.errno), 'EMFILE')
  t.regex(cause.syscall, /^\w+$/)
  t.is(message, `The pool could not be made: ${cause.syscall} failed with EMFILE`)
  t.is(value, 'value')
})

const droppedPools = [
  'an executor',
  'an executor that was never used',
  'an executor whose listeners hold it',
  'an executor that lies in a store of its context',
  'an executor with a buffer of its memory',
  'an executor that is shut down, and nobody waits',
  'a Pool',
]

for (const scenario of droppedPools) {
  test.serial(
    `pools that nobody holds give their descriptors back before others are refused: ${scenario}`,
    async (t) => {
      // For some three pools.
      const times = 10
      const said = await runHost(t, 'dropped', { scenario, times }, { descriptors: 120 })
      t.deepEqual(said, { made: times })
    },
  )
}

for (const startMethod of process.platform === 'linux' ? ['spawn', 'forkserver'] : ['spawn']) {
  test(`where files may have 1 GiB, or 64 MiB, lanes are smaller (${startMethod})`, async (t) => {
    for (const [kilobytes, bytes] of [
      [1 << 20, 20e6],
      [1 << 16, 5e6],
    ] as const) {
      const input = { startMethod, bytes }
      t.deepEqual(await runHost(t, 'small-files', input, { fileKilobytes: kilobytes }), { right: true, tooLarge: true })
    }
  })
}

test('a pool that cannot have all of its workers warns once, and not at each call', async (t) => {
  const { values, warnings } = await runHost<{ values: number; warnings: string[] }>(
    t,
    'few-workers',
    {},
    { descriptors: 60 },
  )
  t.is(values, 300)
  t.is(warnings.length, 1)
  t.is(warnings[0], 'WorkerSpawnError')
})
