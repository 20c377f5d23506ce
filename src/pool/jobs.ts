// The unfinished jobs of a pool: calls, maps and iterators.
//
// Each job holds the pool, and the core leads to a job from the job's unfinished calls: so a pool is not collected
// while it has unfinished jobs. Without jobs nothing leads to a pool from the core, or from anything that lives as long
// as the program.

/** A job. It ends itself when it is finished, and so releases the pool. */
export abstract class Job {
  #jobs: Jobs | undefined

  constructor(jobs: Jobs) {
    this.#jobs = jobs
    jobs.begin(this)
  }

  /** Ends the job, because the pool was terminated. Only results that are there already are still delivered. */
  abstract abort(error: unknown): void

  /** Reads the input to its end, whether results are taken or not, because somebody waits for the end of the pool. */
  readOn(): void {}

  protected end(): void {
    const jobs = this.#jobs
    this.#jobs = undefined
    jobs?.end(this)
  }
}

export class Jobs {
  /** Never used: it only keeps the pool alive as long as there are jobs. */
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

  /** Aborts all jobs, each with an error of its own. Their callbacks may call any method, but begin no new jobs. */
  abort(makeError: () => Error): void {
    for (const job of this.#unfinished) job.abort(makeError())
  }

  readOn(): void {
    for (const job of this.#unfinished) job.readOn()
  }
}
