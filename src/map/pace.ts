// How fast `map` reads its input and in what portions it submits: chunk size, read-ahead, chunks in flight.

/**
 * A chunk should occupy a worker for about so many milliseconds: much against what a chunk costs, little to wait for.
 */
const TARGET_MS = 4

/** Larger chunks save nothing any more, and a payload of that many items is large enough. */
const LARGEST_AUTO = 4096

/** At most by this factor does one measurement enlarge chunks: the first ones are of single items and not precise. */
const GROWTH = 4

/**
 * Without a bound on read-ahead, automatic chunks keep so many in flight a worker, so that none idles while we adapt;
 * and so do those of an input that may have no end.
 */
const CHUNKS_PER_WORKER = 4

/** Default read-ahead for asynchronous input. */
const BUFFERED_CHUNKS_PER_WORKER = 2

export interface PaceOptions {
  chunksize: number | 'auto'
  buffersize: number | undefined
  maxWorkers: number
  /** The length of the input, if it is known. */
  length?: number
  /** Asynchronous input is never read without a bound. */
  bounded: boolean
}

export class Pace {
  /** Items in the next chunk. */
  size: number
  /** Chunks submitted and not done. */
  inFlight = 0
  /** Items read and not yielded yet. */
  ahead = 0
  /** Whether the size is found by measuring. */
  readonly adaptive: boolean
  private readonly largest: number
  private readonly maxWorkers: number
  private maxInFlight: number
  private maxAhead: number | undefined

  constructor({ chunksize, buffersize, maxWorkers, length = Infinity, bounded }: PaceOptions) {
    this.adaptive = chunksize === 'auto'
    this.maxWorkers = maxWorkers
    this.maxAhead = buffersize ?? (bounded ? undefined : Infinity)
    if (chunksize === 'auto') {
      const share =
        buffersize === undefined ? Math.ceil(length / (4 * maxWorkers)) : Math.floor(buffersize / (2 * maxWorkers))
      this.largest = Math.max(1, Math.min(LARGEST_AUTO, share))
      this.size = 1
    } else {
      this.largest = this.size = Math.min(chunksize, buffersize ?? Infinity)
    }
    this.maxInFlight = this.adaptive && this.maxAhead === Infinity ? CHUNKS_PER_WORKER * maxWorkers : Infinity
  }

  /** From now on reading does not depend on what the consumer takes, only on what the workers do. */
  unbind(): void {
    this.maxAhead = Infinity
    this.maxInFlight = CHUNKS_PER_WORKER * this.maxWorkers
  }

  /** Whether reading depends on what the consumer takes. */
  get bounded(): boolean {
    return this.maxAhead !== Infinity
  }

  /**
   * How many items the next chunk may have now; 0: none may be read.
   *
   * Never a part of a chunk: with nothing read ahead there is room for a whole one, so waiting for it ends.
   */
  allowance(yielding = 0): number {
    const { size, maxAhead = BUFFERED_CHUNKS_PER_WORKER * this.maxWorkers * size } = this
    return this.inFlight < this.maxInFlight && this.ahead - yielding + size <= maxAhead ? size : 0
  }

  /** How many workers' turns a chunk that is submitted now takes: those queued before it, and its own. */
  get turns(): number {
    return Math.ceil((this.inFlight + 1) / this.maxWorkers)
  }

  /** A chunk of so many items took a worker so many milliseconds. */
  measured(items: number, elapsed: number): void {
    const wanted = Math.max(1, Math.min(this.largest, Math.floor((TARGET_MS * items) / Math.max(elapsed, 1e-6))))
    // Smaller chunks than the present size are old news: they may argue for smaller ones, never for larger.
    if (wanted < this.size) this.size = wanted
    else if (items >= this.size) this.size = Math.min(wanted, this.size * GROWTH)
  }
}
