// Processor time and memory of this process and its descendants, from /proc. On systems other than Linux these figures
// are left out.

import { readdirSync, readFileSync } from 'node:fs'

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // The process has ended meanwhile.
    return undefined
  }
}

/** @param {string} directory */
function list(directory) {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

/** This process and its descendants. */
function family() {
  /** @type {Map<number, number[]>} */
  const children = new Map()
  for (const pid of list('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = read(`/proc/${pid}/stat`)
    // The name of the process, in parentheses before the number, may contain anything.
    const parent = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(pid)])
  }
  const found = [process.pid]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

/** @param {string} stat - A file whose first number is nanoseconds on a processor. */
const onProcessor = (stat) => Number(read(stat)?.split(' ')[0] ?? 0)

/**
 * Processor time so far in microseconds, or undefined.
 *
 * @returns {{ host: number, all: number } | undefined} `host`: this process's main thread alone, without workers that are
 *   threads; `all`: every thread of this process and its descendants.
 */
export function processorTime() {
  // The main thread has the number of its process.
  const host = onProcessor(`/proc/self/task/${process.pid}/schedstat`)
  if (host === 0) return undefined
  let all = 0
  for (const pid of family()) {
    for (const thread of list(`/proc/${pid}/task`)) all += onProcessor(`/proc/${pid}/task/${thread}/schedstat`)
  }
  return { host: host / 1000, all: all / 1000 }
}

/**
 * Memory of this process and its descendants in bytes, or undefined: their proportional set size, in which a page that
 * n processes share counts 1/n for each.
 */
export function memory() {
  let kilobytes = 0
  for (const pid of family()) {
    const rollup = read(`/proc/${pid}/smaps_rollup`)
    kilobytes += Number(/^Pss:\s+(\d+)/m.exec(rollup ?? '')?.[1] ?? 0)
  }
  return kilobytes === 0 ? undefined : kilobytes * 1024
}
