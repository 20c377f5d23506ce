// The pace of a `map`: the size of its chunks, how far it reads ahead, and how many chunks are in flight.

/** Milliseconds that a chunk should occupy a worker: long against the cost of a chunk, short to wait for. */
const TARGET_MS = 4

/** Items in an automatic chunk. Larger chunks save nothing more, and their payloads would be too large. */
const LARGEST_AUTO = 4096

/** The most by which one measurement enlarges chunks. The first measurements are of single items and not precise. */
const GROWTH = 4

/**
 * Automatic chunks in flight for each worker, when reading has no bound or the input may have no end. So no worker
 * idles while the size adapts.
 */
const CHUNKS_PER_WORKER = 4

/** Chunks that are read ahead for each worker from an asynchronous input, by default. */
const BUFFERED_CHUNKS_PER_WORKER = 2

export interface PaceOptions {
  chunksize: number | 'auto'
  buffersize: number | undefined
  maxWorkers: number
  /** The length of the input, if it is known. */
  length?: number
  /** Whether reading has a bound in any case, as for asynchronous input. */
  bounded: boolean
}

export class Pace {
  /** Items in the next chunk. */
  size: number
  /** Chunks that are submitted and not done. */
  inFlight = 0
  /** Items that are read and not yielded. */
  ahead = 0
  /** Whether the size of chunks is found by measuring. */
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

  /** From now on the workers alone limit reading, and not the consumer. */
  unbind(): void {
    this.maxAhead = Infinity
    this.maxInFlight = CHUNKS_PER_WORKER * this.maxWorkers
  }

  /** Whether the consumer limits reading. */
  get bounded(): boolean {
    return this.maxAhead !== Infinity
  }

  /**
   * The number of items that the next chunk may have now; 0 when none may be read.
   *
   * Never a part of a chunk. When nothing is read ahead there is room for a whole chunk, so a wait for room ends.
   */
  allowance(yielding = 0): number {
    const { size, maxAhead = BUFFERED_CHUNKS_PER_WORKER * this.maxWorkers * size } = this
    return this.inFlight < this.maxInFlight && this.ahead - yielding + size <= maxAhead ? size : 0
  }

  /** The number of chunks that a worker runs until a chunk submitted now is done, this chunk included. */
  get turns(): number {
    return Math.ceil((this.inFlight + 1) / this.maxWorkers)
  }

  /** Takes note that a worker ran a chunk of `items` items for `elapsed` milliseconds. */
  measured(items: number, elapsed: number): void {
    const wanted = Math.max(1, Math.min(this.largest, Math.floor((TARGET_MS * items) / Math.max(elapsed, 1e-6))))
    // Chunks smaller than the present size are old news: they can make chunks smaller, but not larger.
    if (wanted < this.size) this.size = wanted
    else if (items >= this.size) this.size = Math.min(wanted, this.size * GROWTH)
  }
}
