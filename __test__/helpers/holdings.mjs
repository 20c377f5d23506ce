// What a host program holds, for those that look at themselves: nothing of it may grow.

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { childrenOf } from './processes.mjs'

/** The children of this process that are there, zombies included, as "pid state". */
export function children() {
  return childrenOf().map(({ pid, state }) => `${pid} ${state}`)
}

/** How many descriptors, threads and mappings of lanes this process has. */
export function holdings() {
  const maps = readFileSync('/proc/self/maps', 'latin1').split('\n')
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    mappings: maps.filter((line) => line.includes('millrace') && !line.includes('.node')).length,
  }
}

/**
 * What this process holds, once that is no more than `before`, or after a second. For a program run with --expose-gc:
 * results that are views of a lane keep its memory until they are collected, and their finalizers have had a turn.
 *
 * @param {ReturnType<typeof holdings>} before
 */
export async function holdingsInTheEnd(before) {
  for (let turn = 0; ; turn++) {
    const now = holdings()
    if (turn === 100 || isDeepStrictEqual(now, before)) return now
    globalThis.gc?.()
    await sleep(10)
  }
}
