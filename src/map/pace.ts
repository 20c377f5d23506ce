// The pace of a `map`: the size of its chunks, how far it reads ahead, and how many chunks are in flight.

/** Milliseconds that a chunk should occupy a worker: long against the cost of a chunk, short to wait for. */
const TARGET_MS = 4

/** Items in an automatic chunk. Larger chunks save nothing more, and more items would be read ahead. */
const LARGEST_AUTO = 1024

/** Bytes in an automatic chunk, about: larger payloads gain nothing from travelling together. */
const LARGEST_BYTES = 1 << 20

/** The most by which one measurement enlarges chunks. The first measurements are of single items and not precise. */
const GROWTH = 4

/** Automatic chunks in flight for each worker: no worker idles while the size adapts. */
const CHUNKS_PER_WORKER = 4

/**
 * What is read ahead for each worker by default: so many chunks, and at least so many items. The workers go on while
 * the consumer waits for the result of one long item.
 */
const CHUNKS_AHEAD = 4
const ITEMS_AHEAD = 64

/** Encoded bytes that are read ahead. */
const BYTES_AHEAD = 64 << 20

export interface PaceOptions {
  chunksize: number | 'auto'
  /** The most items that are read ahead. `Infinity`: the workers alone limit reading. */
  buffersize: number | undefined
  maxWorkers: number
  /** The length of the input, if it is known. */
  length?: number | undefined
}

export class Pace {
  /** Items in the next chunk. */
  size: number
  /** Chunks that are submitted and not done. */
  inFlight = 0
  /** Items that are read, and whose chunks are not yielded. */
  ahead = 0
  /** Encoded bytes of chunks with items that are not yielded. */
  bytesAhead = 0
  /** Whether the size of chunks is found by measuring. */
  readonly adaptive: boolean
  readonly maxWorkers: number
  private readonly largest: number
  private readonly maxInFlight: number
  private buffersize: number | undefined
  /** The mean size of an item, of which the latest chunks say most; 0 before the first. */
  private itemBytes = 0

  constructor({ chunksize, buffersize, maxWorkers, length = Infinity }: PaceOptions) {
    this.adaptive = chunksize === 'auto'
    this.maxWorkers = maxWorkers
    this.buffersize = buffersize
    if (chunksize === 'auto') {
      const share = Math.min(
        Math.ceil(length / (4 * maxWorkers)),
        Math.floor((buffersize ?? Infinity) / (2 * maxWorkers)),
      )
      this.largest = Math.max(1, Math.min(LARGEST_AUTO, share))
      this.size = 1
    } else {
      this.largest = this.size = Math.min(chunksize, buffersize ?? Infinity)
    }
    this.maxInFlight = this.adaptive ? CHUNKS_PER_WORKER * maxWorkers : Infinity
  }

  /** From now on the workers alone limit reading, and not the consumer. */
  unbind(): void {
    this.buffersize = Infinity
  }

  /** Whether the consumer limits reading. */
  get bounded(): boolean {
    return this.buffersize !== Infinity
  }

  /** Whether a worker has nothing to do. */
  get hasIdle(): boolean {
    return this.inFlight < this.maxWorkers
  }

  /**
   * The number of items that the next chunk may have now; 0 when none may be read.
   *
   * Never a part of a chunk. When nothing is read ahead there is room for a whole chunk, so a wait for room ends.
   */
  allowance(): number {
    if (this.inFlight >= this.maxInFlight) return 0
    const size = this.adaptive ? this.fitting() : this.size
    if (this.ahead <= 0) return size
    return this.ahead + size <= this.maxAhead() && (!this.bounded || this.bytesAhead < BYTES_AHEAD) ? size : 0
  }

  /** The present size, or as many items as are not too many bytes. */
  private fitting(): number {
    return this.itemBytes * this.size <= LARGEST_BYTES
      ? this.size
      : Math.max(1, Math.floor(LARGEST_BYTES / this.itemBytes))
  }

  private maxAhead(): number {
    return this.buffersize ?? this.maxWorkers * Math.max(CHUNKS_AHEAD * this.size, ITEMS_AHEAD)
  }

  /** The number of chunks that a worker runs until a chunk submitted now is done, this chunk included. */
  get turns(): number {
    return Math.ceil((this.inFlight + 1) / this.maxWorkers)
  }

  /** Takes note of a chunk of `items` items that take `bytes` bytes. */
  submitted(items: number, bytes: number): void {
    this.inFlight++
    this.bytesAhead += bytes
    const mean = bytes / items
    this.itemBytes = this.itemBytes === 0 ? mean : (this.itemBytes + mean) / 2
  }

  /** Takes note that workers ran a chunk of `items` items for `elapsed` milliseconds. */
  measured(items: number, elapsed: number): void {
    const wanted = Math.max(1, Math.min(this.largest, Math.floor((TARGET_MS * items) / Math.max(elapsed, 1e-6))))
    // Chunks smaller than the present size are old news: they can make chunks smaller, but not larger.
    if (wanted < this.size) this.size = wanted
    else if (items >= this.size) this.size = Math.min(wanted, this.size * GROWTH)
  }
}
