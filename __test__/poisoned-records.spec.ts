// The short form of the run with poisoned records; `bash scripts/poisoned.sh` is the long one.

import test from 'ava'
import { startHost } from './helpers/hosts.js'

interface Ran {
  submitted: number
  answered: number
  poison: number
  silent: number
  wrong: string[]
  intervals: number[]
}

test('records that wedge their workers cost no other record, and work goes on in every interval', async (t) => {
  t.timeout(600_000)
  const host = startHost(t, 'poisoned', { seconds: 16, intervalSeconds: 8, poisonEvery: 500 })
  const { submitted, answered, poison, silent, wrong, intervals } = await host.line<Ran>()
  t.log(`${answered} records, ${poison} poisoned, ${silent} workers given up; ${intervals.join(', ')} records a second`)
  t.deepEqual(wrong, [])
  t.is(answered, submitted)
  t.true(poison > 0 && silent > 0 && silent <= poison)
  for (const rate of intervals) t.true(rate > 0)
  t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
  await host.vanished()
})
