// Finalizers whose objects are collected, and a storm of everything at once. Every case is a program of its own, with a
// garbage collector that the program can call.

import test from 'ava'
import { runHost } from './helpers/hosts.js'

const execArgv = ['--expose-gc']

test.serial('the order of CPython’s own test', async (t) => {
  const said = await runHost(t, 'finalizers-gc', { scenario: 'as in Python' }, { execArgv })
  t.deepEqual(said, [['a', 'b', 'd10', 'd03', 'd02', 'd01', 'e'], 'object', 4])
})

test.serial('each trigger runs a callback, and no two of them', async (t) => {
  const said = await runHost(t, 'finalizers-gc', { scenario: 'each trigger' }, { execArgv })
  const calls = ['a circle 1', 'a function', 'called', 'dropped', 'first of two', 'passed', 'second of two']
  t.deepEqual(said, { calls, active: [false, false, false, false, true], kept: 'object' })
})

test.serial('what is thrown after a collection is a warning; a promise is none, but its rejection', async (t) => {
  const said = await runHost(t, 'finalizers-gc', { scenario: 'what the callback throws' }, { execArgv })
  t.deepEqual(said, ["exception in the finalizer 'rejecter'", "exception in the finalizer 'thrower'"])
})

test.serial('what is over holds neither callback nor arguments', async (t) => {
  const said = await runHost(t, 'finalizers-gc', { scenario: 'what is over' }, { execArgv })
  t.deepEqual(said, ['object', [false, false, false, false]])
})

interface Storm {
  made: number
  wrong: number
  strays: number
  [count: string]: number
}

for (const scenario of ['storm', 'storms in threads']) {
  test.serial(`each callback at most once, none lost, nothing thrown, nothing left: ${scenario}`, async (t) => {
    const seed = Date.now()
    const seconds = 2
    const said = await runHost<Storm | Storm[]>(t, 'finalizers-gc', { scenario, seed, seconds }, { execArgv })
    const storms = [said].flat()
    t.log(JSON.stringify({ seed, storms }))
    t.is(storms.length, scenario === 'storm' ? 1 : 4)
    for (const { wrong, strays, ...counts } of storms) {
      t.deepEqual({ wrong, strays }, { wrong: 0, strays: 0 })
      // Each kind of event has happened.
      t.deepEqual(
        Object.entries(counts).filter(([, count]) => count === 0),
        [],
      )
    }
  })
}
