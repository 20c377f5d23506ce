// A progress display on standard error: a bar on a terminal, else a line for each quarter of the work.

const WIDTH = 40

export class Progress {
  #done = 0
  #total
  #what
  #out

  /**
   * @param {number} total
   * @param {string} what
   * @param {import('node:tty').WriteStream} [out]
   */
  constructor(total, what, out = process.stderr) {
    this.#total = total
    this.#what = what
    this.#out = out
    if (out.isTTY) this.#draw()
  }

  advance() {
    const before = Math.floor((this.#done * 4) / this.#total)
    this.#done += 1
    const after = Math.floor((this.#done * 4) / this.#total)
    if (this.#out.isTTY) this.#draw()
    else if (after > before) this.#out.write(`${after * 25} % of ${this.#total} ${this.#what}\n`)
  }

  #draw() {
    const full = Math.round((this.#done / this.#total) * WIDTH)
    const bar = '█'.repeat(full) + '░'.repeat(WIDTH - full)
    this.#out.write(`\r${bar} ${this.#done}/${this.#total} ${this.#what}${this.#done === this.#total ? '\n' : ''}`)
  }
}
