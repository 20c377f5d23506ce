// The check for leaks, for files that take their `test` from here: after every test no process, zombie, descriptor,
// thread, mapping or file in /dev/shm is left that was not there before the file's first test.
//
// Tests are serial: the leak of one test must not be put down to another.

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import anyTest from 'ava'
import { ProcessPoolExecutor } from 'millrace'
import { childrenOf, hasProc } from './processes.mjs'
import { spawns } from './start-method.mjs'
import { WATCHDOG_MS } from './waiting.js'
import { setTimeout as sleep } from 'node:timers/promises'
import { collectGarbage } from '../../src/memory/garbage.js'

/** The resources that this process holds, each as a text that describes it. */
interface Holdings {
  children: string[]
  descriptors: string[]
  threads: string[]
  mappings: string[]
  sharedFiles: string[]
}

const NOTHING: Holdings = { children: [], descriptors: [], threads: [], mappings: [], sharedFiles: [] }

function holdings(): Holdings {
  return {
    children: childrenOf().map(({ pid, state, name }) => `${pid} ${state} ${name}`),
    descriptors: hasProc ? list('/proc/self/fd').map((fd) => describeDescriptor(fd)) : list('/dev/fd'),
    threads: list('/proc/self/task'),
    mappings: hasProc
      ? readFileSync('/proc/self/maps', 'latin1')
          .split('\n')
          .filter((line) => line.includes('millrace') && !line.includes('.node'))
      : [],
    sharedFiles: list('/dev/shm').filter((name) => name.includes('millrace')),
  }
}

function list(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : []
}

function describeDescriptor(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    // The descriptor of the listing itself.
    return 'closed'
  }
}

/** The resources in `now` beyond `before`. Descriptors and threads are all alike: only their number counts. */
function surplus(now: Holdings, before: Holdings): Holdings {
  const beyond = (key: keyof Holdings): string[] => now[key].filter((item) => !before[key].includes(item))
  const more = (key: keyof Holdings): string[] => (now[key].length > before[key].length ? now[key] : [])
  return {
    children: beyond('children'),
    descriptors: more('descriptors'),
    threads: more('threads'),
    mappings: more('mappings'),
    sharedFiles: beyond('sharedFiles'),
  }
}

function isEmpty(found: Holdings): boolean {
  return Object.values(found).every((items) => items.length === 0)
}

let baseline = NOTHING

anyTest.serial.before('what this process holds before the first test', async () => {
  // Node starts threads and opens descriptors at their first use: that is done before anything is counted.
  await readFile(new URL(import.meta.url))
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] })
  await pool.submit(() => 1)
  await pool.shutdown()
  baseline = { ...holdings(), children: [] }
})

anyTest.serial.afterEach.always('nothing is left behind', async (t) => {
  const deadline = performance.now() + WATCHDOG_MS / 3
  let found = surplus(holdings(), baseline)
  while (!isEmpty(found) && performance.now() < deadline) {
    // Results that are views of a lane keep its memory until they are collected.
    if (found.mappings.length > 0) collectGarbage()
    await sleep(5)
    found = surplus(holdings(), baseline)
  }
  t.deepEqual(found, NOTHING)
})

/** ava's `test`, one after the other, with the checks of this file. */
export const test = anyTest.serial

/** For properties of spawned workers only: skipped under other start methods. */
export const spawnTest = spawns ? test : test.skip
