// The facts that a host program can see about itself.

import { readdirSync, readFileSync, readlinkSync, statSync, writeSync } from 'node:fs'
import { setStartMethod } from 'millrace'
import { workersOf } from '../helpers/processes.mjs'
import { startMethod } from '../helpers/start-method.mjs'

// This holds in the threads of a program, too, and in its workers that have pools of their own.
if (startMethod !== undefined) setStartMethod(startMethod)

/**
 * Says a line to the test. The line is written at once: at the end of the process nothing waits for the event loop.
 *
 * @param {unknown} value
 */
export function say(value) {
  writeSync(1, `${JSON.stringify(value)}\n`)
}

/** The numbers of resources that this process holds. */
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
 * The resident memory of a process in bytes: its own, and mapped shared memory.
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
 * Bytes of shared memory behind the descriptors of a process: the memory of its lanes, whoever touched it.
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
      // The descriptor was closed meanwhile.
    }
  }
  return bytes
}
