// The resources that a host program holds, as it sees them itself: none of them may grow.

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { childrenOf } from './processes.mjs'

/** The children of this process, zombies included, as "pid state". */
export function children() {
  return childrenOf().map(({ pid, state }) => `${pid} ${state}`)
}

/** The numbers of descriptors, threads and mappings of lanes that this process has. */
export function holdings() {
  const maps = readFileSync('/proc/self/maps', 'latin1').split('\n')
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    mappings: maps.filter((line) => line.includes('millrace') && !line.includes('.node')).length,
  }
}

/**
 * The resources of this process, once they are no more than `before`, or after a second. For programs with --expose-gc:
 * results that are views of a lane keep its memory until they are collected and their finalizers have had a turn.
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
