// A program that brings its workers into a state, says so, and ends in the given way, unless the test ends it.

import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTasks, isWorker, ProcessPoolExecutor } from 'millrace'
import { say } from './observe.mjs'

const word = new Int32Array(new SharedArrayBuffer(4))

/** @param {string} said */
const notify = (said) => said && writeFileSync(said, '')

const tasks = defineTasks(import.meta.url, {
  pid: () => process.pid,

  /** @param {string} said A file that is there once this runs. */
  spin: (said) => {
    notify(said)
    for (;;);
  },

  /** @param {string} said */
  block: (said) => {
    notify(said)
    Atomics.wait(word, 0, 0)
  },

  /** @param {string} said */
  wait: (said) => {
    notify(said)
    setInterval(() => {}, 1000)
    return new Promise(() => {})
  },

  /**
   * Makes a pool of its own, `depth` levels of them, and an endless call in the last pool. The outer calls wait, the
   * inner one spins.
   *
   * @type {(said: string, depth: number) => Promise<unknown>}
   */
  nest: async (said, depth) => {
    const inner = new ProcessPoolExecutor({ maxWorkers: 1 })
    /** @type {import('millrace').Future<unknown>} */
    const future = depth > 1 ? inner.submit(tasks.nest, said, depth - 1) : inner.submit(tasks.spin, said)
    if (depth > 1) return future
    while (!existsSync(said)) await sleep(2)
    for (;;);
  },

  /** @param {string} said */
  startChild: (said) => {
    spawn('sleep', ['1000'], { stdio: 'ignore' }).once('spawn', () => notify(said))
    return new Promise(() => {})
  },
})

/**
 * Options that keep Node from ever getting to the worker's own code.
 *
 * @type {Record<string, string[]>}
 */
const bootOptions = {
  'stuck in a module that they load first': ['--import', 'data:text/javascript,for(;;);'],
  'waiting for a debugger': ['--inspect-brk=0'],
}

/** @param {{ state: string, end: string, directory: string, delay?: number }} input */
async function main({ state, end, directory, delay = 0 }) {
  const files = [join(directory, 'a'), join(directory, 'b')]
  const pool = new ProcessPoolExecutor({ maxWorkers: 2, execArgv: bootOptions[state] ?? [] })
  const task = { spinning: tasks.spin, blocked: tasks.block, waiting: tasks.wait, parents: tasks.startChild }[state]
  if (state === 'idle') {
    await Promise.all(files.map(() => pool.submit(tasks.pid)))
  } else if (['booting', ...Object.keys(bootOptions)].includes(state)) {
    for (const said of files) pool.submit(tasks.spin, said)
    await sleep(delay)
  } else {
    for (const said of files) {
      if (state === 'nested') pool.submit(tasks.nest, said, 2)
      else pool.submit(/** @type {typeof tasks.spin} */ (task), said)
    }
    while (!files.every((said) => existsSync(said))) await sleep(2)
  }
  say(pool.stats().workers.length)
  finish(end)
}

/** @param {string} end */
function finish(end) {
  switch (end) {
    case 'process.exit()':
      return process.exit(7)
    case 'an uncaught error':
      throw new Error('nobody catches this')
    case 'an unhandled rejection':
      return void Promise.reject(new Error('nor this'))
    case 'process.abort()':
      return process.abort()
    default:
      // The test sends a signal.
      return void setInterval(() => {}, 1000)
  }
}

if (!isWorker) await main(JSON.parse(process.argv[2] ?? '{}'))
