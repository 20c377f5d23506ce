// Globals that are missing or replaced, in the host and its workers, before and after the package was loaded.

import { runHost } from './helpers/hosts.js'
import test from 'ava'

const OTHERS = [
  'URL',
  'URLSearchParams',
  'TextEncoder',
  'TextDecoder',
  'AbortController',
  'AbortSignal',
  'DOMException',
]
const TIMERS = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate']
const REST = ['Buffer', 'structuredClone', 'performance', 'queueMicrotask', 'MessageChannel', 'Event', 'EventTarget']
const deleted = (names: string[]): string => names.map((name) => `delete globalThis.${name}`).join('\n')

/** Texts that change globals, by the words of a title. */
const changes: Record<string, string> = {
  'classes of a browser are missing': deleted(OTHERS),
  'timers are missing': deleted(TIMERS),
  'other globals of Node are missing': deleted(REST),
  'all of them are missing': deleted([...OTHERS, ...TIMERS, ...REST]),
  'classes are those of an environment that imitates a browser': `
    const { URL, TextEncoder } = globalThis
    const Other = process.getBuiltinModule('node:vm').runInNewContext('Uint8Array')
    globalThis.URL = class { #u; constructor(u, b) { this.#u = new URL(u, b) } get href() { return this.#u.href } }
    globalThis.TextEncoder = class { encode(s) { return new Other(new TextEncoder().encode(s)) } }
    globalThis.TextDecoder = class { decode() { throw new Error('of another realm') } }
    globalThis.structuredClone = (value) => value
    globalThis.DOMException = class DOMException extends Error {}
    globalThis.Buffer = class Buffer extends Uint8Array {}`,
  'Date always gives the same date':
    'const { Date } = globalThis; globalThis.Date = class { constructor() { return new Date(0) } }',
  'stacks have no frames': 'Error.stackTraceLimit = 0',
  'errors have no stacks': 'delete Error.stackTraceLimit',
  'Error.prepareStackTrace throws': "Error.prepareStackTrace = () => { throw new Error('of the hook') }",
  'Error.prepareStackTrace returns no text': 'Error.prepareStackTrace = (_error, frames) => frames',
  'Error.captureStackTrace is missing': 'delete Error.captureStackTrace',
}

for (const [title, change] of Object.entries(changes)) {
  test.serial(`a pool works when ${title} before the package is loaded`, async (t) => {
    const execArgv = [`--import=data:text/javascript,${encodeURIComponent(change)}`]
    t.is(await runHost(t, 'globals', {}, { execArgv }), 'done')
  })

  test.serial(`a pool works when ${title} after the package was loaded`, async (t) => {
    t.is(await runHost(t, 'globals', { after: change }), 'done')
  })
}

/** As fake timers do it: timers and clocks that stand still, in the module of timers, too. */
const standingStill = `
  const timers = process.getBuiltinModule('node:timers')
  for (const name of ${JSON.stringify(TIMERS)}) globalThis[name] = timers[name] = () => ({ ref() {}, unref() {} })
  globalThis.queueMicrotask = () => {}
  globalThis.performance.now = () => 0
  process.hrtime = Object.assign(() => [0, 0], { bigint: () => 0n })
  const { Date } = globalThis
  globalThis.Date = class extends Date { constructor() { super(0) } static now() { return 0 } }
  process.getBuiltinModule('node:module').syncBuiltinESMExports()`

test.serial('time limits hold, and pools end, when timers and clocks stand still', async (t) => {
  t.is(await runHost(t, 'globals', { after: standingStill }), 'done')
})

test.serial("time limits hold, and pools end, under the fake timers of Node's test runner", async (t) => {
  const after = "process.getBuiltinModule('node:test').mock.timers.enable()"
  t.is(await runHost(t, 'globals', { after }), 'done')
})

test.serial('a pool works without WebAssembly', async (t) => {
  t.is(await runHost(t, 'globals', {}, { execArgv: ['--jitless'] }), 'done')
})

test.serial('what a program has put in the place of globals stays there', async (t) => {
  const after = `globalThis.AbortController = 'mine'; delete globalThis.DOMException; globalThis.URL = 'mine'`
  const check = `
    process.on('exit', () => {
      const { AbortController, DOMException, URL } = globalThis
      if (AbortController !== 'mine' || DOMException !== undefined || URL !== 'mine') process.exitCode = 99
    })`
  t.is(await runHost(t, 'globals', { after: `${after}\n${check}` }), 'done')
})
