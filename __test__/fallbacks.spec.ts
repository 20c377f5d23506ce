// The same promises with every mechanism: the mechanisms of other systems are forced here, one at a time and all
// together, and small rings, too.

import test from 'ava'
import { runHost, startHost } from './helpers/hosts.js'
import { tempDirectory } from './helpers/pool.js'

/** The value that each variable forces, and the pool's own word for it. */
const fallbacks: Record<string, [value: string, said: string]> = {
  MILLRACE_SEGMENT: ['shm', 'segment Shm'],
  MILLRACE_WAKEUP: ['pipe', 'wake-up Pipe'],
  MILLRACE_POLLER: ['poll', 'poller Poll'],
  MILLRACE_SENTINEL: ['waitpid', 'sentinel WaitPid'],
}

const native = ['segment Memfd', 'wake-up EventFd', 'poller Epoll', 'sentinel PidFd']
const smallRings = { MILLRACE_RING_SLOTS: '2' }
const every = Object.fromEntries(Object.entries(fallbacks).map(([name, [value]]) => [name, value]))
const everySaid = Object.values(fallbacks).map(([, said]) => said)

/** The environments of the tests, and what a pool says of itself in each. */
const environments: [title: string, env: Record<string, string>, said: string[]][] = [
  ...Object.entries(fallbacks).map(([name, [value, said]], index): [string, Record<string, string>, string[]] => [
    `${name}=${value}`,
    { [name]: value },
    native.with(index, said),
  ]),
  ['all fallbacks', every, everySaid],
  ['rings of two slots', smallRings, native],
  ['all fallbacks and rings of two slots', { ...every, ...smallRings }, everySaid],
]

for (const [title, env, said] of environments) {
  test.serial(`calls, deaths, cancels, large payloads and shutdowns on ${title}`, async (t) => {
    t.is(await runHost(t, 'core', {}, { env, execArgv: ['--expose-gc'] }), said.join(', '))
  })
}

for (const [title, env] of environments) {
  test.serial(`a busy tree of workers ends with its killed host on ${title}`, async (t) => {
    const host = startHost(t, 'ends', { state: 'nested', end: 'SIGKILL', directory: tempDirectory(t) }, { env })
    await host.line()
    host.signal('SIGKILL')
    await host.ended()
    const after = await host.vanished()
    t.log(`${Math.round(after)} ms`)
    t.true(after < 5000)
  })
}

for (const name of Object.keys(fallbacks)) {
  test.serial(`an unknown value of ${name} is an UnsupportedPlatformError that says which are known`, async (t) => {
    const host = startHost(t, 'core', {}, { env: { [name]: 'smoke' } })
    t.deepEqual(await host.ended(), { code: 1, signal: null })
    for (const part of [
      'UnsupportedPlatformError',
      'ERR_MILLRACE_UNSUPPORTED_PLATFORM',
      name,
      'smoke',
      fallbacks[name]![0],
    ]) {
      t.true(host.errors.includes(part), host.errors)
    }
  })
}

test.serial('a number of slots that no ring can have is a TypeError that says what is allowed', async (t) => {
  for (const slots of ['0', '1', '3', '8192', 'many', '2.5']) {
    const host = startHost(t, 'core', {}, { env: { MILLRACE_RING_SLOTS: slots } })
    t.deepEqual(await host.ended(), { code: 1, signal: null })
    for (const part of ['TypeError', 'ERR_INVALID_ARG_VALUE', 'MILLRACE_RING_SLOTS', 'a power of two from 2 to 4096']) {
      t.true(host.errors.includes(part), host.errors)
    }
    t.true(host.errors.includes(`'${slots}'`), host.errors)
  }
})
