// What a finished task wrote to standard output or error arrives, though its worker leaves.
//
// Node keeps in memory what the reader of a pipe has not taken yet, and process.exit() drops it. Making the pipe
// blocking is no way out: that flag belongs to the open pipe, which the host and the other workers share. All of them
// would stand still with a reader that does. So whoever leaves waits, and not for ever.

import type { Writable } from 'node:stream'

import { builtin } from '../util/builtins.js'
import { Limits } from '../wire/index.js'

/** Less than the time after which the host ends a worker that was asked to leave. */
const LONGEST_WAIT_MS = Limits.killAfterMs - 1000

/**
 * Those of this process that somebody has asked for, whatever a task puts in their place. To make one takes a
 * millisecond.
 */
const outputs: Writable[] = []

for (const name of ['stdout', 'stderr'] as const) {
  const property = Object.getOwnPropertyDescriptor(process, name)!
  let made: Writable | undefined
  const get = (): Writable => {
    if (made === undefined) outputs.push((made = property.get!.call(process) as Writable))
    return made
  }
  Object.defineProperty(process, name, { ...property, get })
}

/**
 * Calls `next` when all that was written so far has been read, or cannot be, or the time is up; at once if nothing
 * waits.
 */
export function afterOutput(next: () => void): void {
  // Files and terminals are written to at once: nothing waits there.
  const waiting = outputs.filter((output) => output.writableLength > 0)
  if (waiting.length === 0) return next()
  const timer = setTimeout(next, LONGEST_WAIT_MS)
  const { write } = builtin('node:stream').Writable.prototype
  let left = waiting.length
  for (const output of waiting) {
    // Called back in its turn, or with the stream's error. Not by the stream's own method: tasks replace that.
    write.call(output, '', 'utf8', () => {
      if (--left > 0) return
      clearTimeout(timer)
      next()
    })
  }
}
