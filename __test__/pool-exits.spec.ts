// The ends of programs with pools. Each is a program of its own, and nothing of it may be left.

import test from 'ava'
import { runHost, startHost } from './helpers/hosts.js'

const lost = (jobs: string, why: string) => ({
  name: 'MillraceWarning',
  code: 'MILLRACE_JOBS_LOST',
  message: `${why} with ${jobs} unfinished, lost by that: call close() and join() before`,
})

test('an idle pool does not keep its program, and nothing is said', async (t) => {
  t.deepEqual(await runHost(t, 'pool', { scenario: 'an idle pool' }), { sum: 3 })
  const host = startHost(t, 'pool', { scenario: 'a pool that was never used' })
  t.deepEqual(await host.line(), {})
  t.deepEqual(await host.ended(), { code: 0, signal: null })
  await host.vanished()
  t.is(host.errors, '')
})

test('unfinished jobs keep it until they are done', async (t) => {
  const said = await runHost(t, 'pool', { scenario: 'jobs that nobody waits for' })
  t.deepEqual(said, { value: 'slept', warnings: [] })
})

test('a temporary pool works as long as its iterator is read', async (t) => {
  t.deepEqual(await runHost(t, 'pool', { scenario: 'a temporary' }), { results: 50 })
})

test('process.exit() fails what is unfinished, says how much is lost, and leaves no worker', async (t) => {
  const host = startHost(t, 'pool', { scenario: 'process.exit() with jobs' })
  t.deepEqual(await host.line(), {
    ready: true,
    errors: Array.from({ length: 3 }, () => 'ERR_MILLRACE_POOL_TERMINATED'),
    warnings: [lost('4 jobs of <Pool state=RUN pool_size=2>', 'The process ends')],
    children: 0,
  })
  t.deepEqual(await host.ended(), { code: 0, signal: null })
  await host.vanished()
  t.regex(host.errors, /MILLRACE_JOBS_LOST.*4 jobs.*\n.*The pool was made\n.*pool\.mjs/s)
})

test('terminate() in a listener of the end starts nothing', async (t) => {
  t.deepEqual(await runHost(t, 'pool', { scenario: 'terminate() when the process ends' }), { ready: true, children: 0 })
})

test('a pass of finalizers terminates pools, unless its minimum is above theirs', async (t) => {
  t.deepEqual(await runHost(t, 'pool', { scenario: 'a pass of finalizers' }), {
    untouched: '<Pool state=RUN pool_size=1>',
    pool: '<Pool state=TERMINATE pool_size=1>',
    codes: Array.from({ length: 3 }, () => 'ERR_MILLRACE_POOL_TERMINATED'),
    children: 0,
    warnings: [],
  })
})

test('process.exit() with an idle pool says nothing', async (t) => {
  const said = await runHost(t, 'pool', { scenario: 'process.exit() with an idle pool' })
  t.deepEqual(said, { warnings: [], pool: '<Pool state=TERMINATE pool_size=1>' })
})

test('an unref’d pool lets its program end, which says what was lost', async (t) => {
  const said = await runHost(t, 'pool', { scenario: 'an unref’d pool with jobs' })
  t.deepEqual(said, { warnings: [lost('1 job of <Pool state=RUN pool_size=1>', 'The process ends')] })
})

test('a pool that is disposed of with jobs fails these, and says how many', async (t) => {
  t.deepEqual(await runHost(t, 'pool', { scenario: 'a disposed pool with jobs' }), {
    codes: ['ERR_MILLRACE_POOL_TERMINATED', 'ERR_MILLRACE_POOL_TERMINATED'],
    warnings: [lost('2 jobs of <Pool state=RUN pool_size=2>', 'The pool was disposed of')],
    children: 0,
  })
})
