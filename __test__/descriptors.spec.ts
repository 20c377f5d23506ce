// Tasks that close the descriptors that their worker lives by: no call waits for ever.

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
