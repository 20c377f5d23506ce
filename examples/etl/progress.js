// The progress of a load: a bar on a terminal, else a line for each quarter of the input.

const WIDTH = 20
/** Milliseconds between two pictures of the bar. */
const EVERY_MS = 100

export class Progress {
  records = 0
  failed = 0
  #bytes = 0
  #skipped = 0
  #started = performance.now()
  #drawn = -Infinity
  #quarters = 0
  #title
  #total
  #out

  /**
   * @param {string} title
   * @param {number} total bytes of the input
   * @param {import('node:tty').WriteStream} [out]
   */
  constructor(title, total, out = process.stderr) {
    this.#title = title
    this.#total = total
    this.#out = out
  }

  /**
   * Bytes that an earlier run has loaded.
   * @param {number} bytes
   */
  skip(bytes) {
    this.#bytes += bytes
    this.#skipped += bytes
    this.#quarters = Math.floor(this.#share * 4)
  }

  /** Whether an earlier run has loaded a part. */
  get hasSkipped() {
    return this.#skipped > 0
  }

  /**
   * @param {number} bytes
   * @param {import('./batch.js').Batch} batch
   */
  advance(bytes, { lines, dead }) {
    this.#bytes += bytes
    this.records += lines
    this.failed += dead.length
    const now = performance.now()
    if (this.#out.isTTY) {
      if (now - this.#drawn < EVERY_MS) return
      this.#drawn = now
      this.#draw()
    } else if (Math.floor(this.#share * 4) > this.#quarters) {
      this.#quarters = Math.floor(this.#share * 4)
      this.#out.write(`${this.#text}\n`)
    }
  }

  /** Leaves the last state of the bar. */
  end() {
    if (!this.#out.isTTY) return
    this.#draw()
    this.#out.write('\n')
  }

  #draw() {
    const full = Math.round(this.#share * WIDTH)
    const line = `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${this.#text}`
    // A line that the terminal breaks could not be drawn over.
    this.#out.write(`\r\x1b[K${line.slice(0, this.#out.columns - 1)}`)
  }

  get #share() {
    return Math.min(1, this.#bytes / this.#total)
  }

  get #text() {
    const seconds = (performance.now() - this.#started) / 1000
    const left = (seconds * (this.#total - this.#bytes)) / (this.#bytes - this.#skipped)
    return [
      `${this.#title}: ${Math.floor(this.#share * 100)} %`,
      `${Math.round(this.records / seconds).toLocaleString('en-US')} records/s`,
      `${Number.isFinite(left) ? Math.ceil(left) : '?'} s left`,
      `${this.failed} failed`,
    ].join(', ')
  }
}
