// The output of finished tasks: it has to arrive although the worker leaves.
//
// Node keeps in memory what the reader of a pipe has not taken yet, and process.exit() drops it. To make the pipe
// blocking is no solution: that flag belongs to the open pipe, which the host and the other workers share, and a reader
// that stands still would stop all of them. So a leaving worker waits for its reader, for a limited time.

import type { Writable } from 'node:stream'

import { builtin } from '../util/builtins.js'
import { clearTimeout, setTimeout } from '../util/globals.js'
import { Limits } from '../wire/index.js'

/**
 * The longest wait of a leaving worker. Less than the time after which the host ends a worker that it has asked to
 * leave.
 */
const LONGEST_WAIT_MS = Limits.killAfterMs - 1000

/**
 * The standard streams that code of this process has used. A task may replace `process.stdout`: the stream stays here.
 * They are not made before their first use, because that takes a millisecond.
 */
const outputs: Writable[] = []

let watches = false

/** From now on the standard streams are known as soon as code of this process uses them. */
export function watchOutputs(): void {
  if (watches) return
  watches = true
  for (const name of ['stdout', 'stderr'] as const) {
    const property = Object.getOwnPropertyDescriptor(process, name)!
    let made: Writable | undefined
    const get = (): Writable => {
      if (made === undefined) {
        made = property.get!.call(process) as Writable
        made.on('error', onOutputError)
        outputs.push(made)
      }
      return made
    }
    Object.defineProperty(process, name, { ...property, get })
  }
}

/** What a write says when nobody can read the output any more. */
const UNREAD = new Set(['EPIPE', 'ECONNRESET', 'EIO'])

/**
 * Output that nobody can read is lost, and no reason to end the worker: the next worker could not write either. Any
 * other error is what it is without a listener, unless the program has one.
 */
function onOutputError(this: Writable, error: NodeJS.ErrnoException): void {
  if (UNREAD.has(error.code ?? '') || this.listenerCount('error') > 1) return
  throw error
}

/**
 * Calls `next` when everything written so far has been read, or cannot be read any more, or the time is up; at once if
 * nothing waits.
 */
export function afterOutput(next: () => void): void {
  // Writes to files and terminals are done at once: there nothing waits.
  const waiting = outputs.filter((output) => output.writableLength > 0)
  if (waiting.length === 0) return next()
  const timer = setTimeout(next, LONGEST_WAIT_MS)
  const { write } = builtin('node:stream').Writable.prototype
  let left = waiting.length
  for (const output of waiting) {
    // An empty write: its callback comes after the earlier writes, or with the stream's error. The method is the
    // class's, because a task may have replaced the stream's own.
    write.call(output, '', 'utf8', () => {
      if (--left > 0) return
      clearTimeout(timer)
      next()
    })
  }
}
