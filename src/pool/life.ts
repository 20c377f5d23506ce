// The part of a pool that outlives the pool object: enough to end the pool when it is collected or its process ends.

import { inspect } from 'node:util'
import { isMainThread } from 'node:worker_threads'

import { PoolTerminatedError } from '../errors/index.js'
import type { PoolCore } from '../host/core.js'

/** The state of a pool. RUN: it takes jobs. CLOSE: it finishes its jobs. TERMINATE: it is over. */
export type LifeState = 'RUN' | 'CLOSE' | 'TERMINATE'

export class PoolLife {
  state: LifeState = 'RUN'
  /** The number of unfinished jobs. */
  unfinished = 0
  readonly core: PoolCore
  /** The stack of the pool's construction, as text: a recorded stack would hold the pool. */
  readonly #madeAt: string

  constructor(core: PoolCore, madeAt: string) {
    this.core = core
    this.#madeAt = madeAt
  }

  /** For example `<Pool state=RUN pool_size=4>`. */
  toString(): string {
    return `<Pool state=${this.state} pool_size=${this.core.size}>`
  }

  [inspect.custom](): string {
    return this.toString()
  }

  /** Ends a pool that nobody holds any more. Its only unfinished jobs are iterators that nobody holds either. */
  dropped(): void {
    if (this.state === 'RUN') process.emitWarning(this.#unclosed())
    this.core.close()
  }

  /** Ends the pool with its process, or thread: nothing asynchronous happens any more. */
  processEnds(): void {
    const warning = this.jobsLost(isMainThread ? 'The process ends' : 'The thread ends')
    this.state = 'TERMINATE'
    this.core.failAll(terminated)
    // emitWarning() would tell in a later turn, and there is none.
    if (warning !== undefined) process.emit('warning', warning)
  }

  /** The warning that unfinished jobs are given up; undefined if there are none. */
  jobsLost(why: string): Error | undefined {
    if (this.unfinished === 0 || this.state === 'TERMINATE') return undefined
    const jobs = this.unfinished === 1 ? '1 job' : `${this.unfinished} jobs`
    return this.#warning(
      'MillraceWarning',
      'MILLRACE_JOBS_LOST',
      `${why} with ${jobs} of ${this} unfinished, lost by that: call close() and join() before`,
    )
  }

  #unclosed(): Error {
    return this.#warning(
      'ResourceWarning',
      'MILLRACE_UNCLOSED_POOL',
      `unclosed running pool ${this}, which nobody holds any more: call close() or terminate()`,
    )
  }

  #warning(name: string, code: string, message: string): Error {
    const warning = new Error(message)
    warning.name = name
    return Object.assign(warning, { code, detail: `The pool was made\n${this.#madeAt}` })
  }
}

/** The error of a job of a terminated pool. */
export function terminated(): PoolTerminatedError {
  return new PoolTerminatedError(
    'The pool was terminated before this was done: use close() and join() to let work finish',
  )
}
