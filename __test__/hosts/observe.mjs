// What a host program can see of itself.

import { readdirSync, readFileSync, readlinkSync, statSync, writeSync } from 'node:fs'
import { setStartMethod } from 'millrace'
import { workersOf } from '../helpers/processes.mjs'
import { startMethod } from '../helpers/start-method.mjs'

// In the threads of a program, and in its workers that have pools of their own, too.
if (startMethod !== undefined) setStartMethod(startMethod)

/**
 * Says a line to the test. At once: what is said when the process ends must not wait for the event loop.
 *
 * @param {unknown} value
 */
export function say(value) {
  writeSync(1, `${JSON.stringify(value)}\n`)
}

/** What this process holds, counted. */
export function holdings() {
  const descriptors = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      // The descriptor of the listing itself.
      return ''
    }
  })
  const maps = readFileSync('/proc/self/maps', 'latin1').split('\n')
  return {
    children: workersOf().length,
    descriptors: descriptors.filter((name) => name !== '').length,
    threads: readdirSync('/proc/self/task').length,
    segments: maps.filter((line) => /memfd:millrace|\/millrace-/.test(line)).length,
  }
}

/**
 * Resident memory of a process in bytes: what is its own, and what it has mapped of shared memory.
 *
 * @param {number | 'self'} pid
 */
export function memory(pid = 'self') {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1')
  /** @param {string} name */
  const field = (name) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
  return { own: field('RssAnon'), shared: field('RssShmem') }
}

/**
 * Bytes of shared memory behind the descriptors of a process: what its lanes take, whoever touched it.
 *
 * @param {number | 'self'} pid
 */
export function segments(pid = 'self') {
  let bytes = 0
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const path = `/proc/${pid}/fd/${fd}`
      if (/memfd:millrace|\/millrace-/.test(readlinkSync(path))) bytes += statSync(path).blocks * 512
    } catch {
      // It was closed meanwhile.
    }
  }
  return bytes
}
