// The calls, maps and iterators of a pool that are not finished.
//
// Each holds the pool, and from its unfinished calls the core leads to it: so a pool is not collected while it has
// something to do. Nothing leads from the core, or from anything that lives as long as the program, to a pool without.

/** One of them. It ends itself when it is finished, and lets go of the pool by that. */
export abstract class Job {
  #jobs: Jobs | undefined

  constructor(jobs: Jobs) {
    this.#jobs = jobs
    jobs.begin(this)
  }

  /** The pool was terminated. Nothing but what is there already is to come of this. */
  abstract abort(error: unknown): void

  /** Somebody waits for the pool to end: goes on to the end of the input, whether results are taken or not. */
  readOn(): void {}

  protected end(): void {
    const jobs = this.#jobs
    this.#jobs = undefined
    jobs?.end(this)
  }
}

export class Jobs {
  /** Never asked: the pool is only to be there as long as there are jobs. */
  readonly pool: object
  readonly #unfinished = new Set<Job>()
  readonly #whenChanged: (count: number) => void

  constructor(pool: object, whenChanged: (count: number) => void) {
    this.pool = pool
    this.#whenChanged = whenChanged
  }

  begin(job: Job): void {
    this.#unfinished.add(job)
    this.#whenChanged(this.#unfinished.size)
  }

  end(job: Job): void {
    if (this.#unfinished.delete(job)) this.#whenChanged(this.#unfinished.size)
  }

  /** Aborts all of them, each with an error of its own. Their callbacks may call anything, but begin no others. */
  abort(makeError: () => Error): void {
    for (const job of this.#unfinished) job.abort(makeError())
  }

  readOn(): void {
    for (const job of this.#unfinished) job.readOn()
  }
}
