// A program that says whether it could be forked, after doing what it is asked to.

import { createServer } from 'node:net'
import { pbkdf2 } from 'node:crypto'
import { open } from 'node:inspector'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { forkSafety, ProcessPoolExecutor } from 'millrace'
import { say } from './observe.mjs'

const idle = new Int32Array(new SharedArrayBuffer(4))
const { preparation } = JSON.parse(process.argv[2] ?? '{}')

/** @type {Record<string, () => unknown>} */
const preparations = {
  nothing: () => {},
  // Starts the threads of libuv, which are made anew in a fork and are no reason.
  'work that is over': () => promisify(pbkdf2)('a', 'b', 1, 8, 'sha256'),
  'work that is not': () => pbkdf2('a', 'b', 4_000_000, 8, 'sha256', () => {}),
  'a timer': () => setInterval(() => {}, 1000),
  'a server': () => new Promise((resolve) => void createServer().listen(0, () => resolve(undefined))),
  'a thread': () => {
    const worker = new Worker('Atomics.wait(require("node:worker_threads").workerData, 0, 0)', {
      eval: true,
      workerData: idle,
    })
    return new Promise((resolve) => worker.once('online', resolve))
  },
  'a debugger': () => open(0),
}

await preparations[preparation]?.()
// What loading this module has begun is over then.
await turn()
await turn()
const { safe, reasons } = forkSafety()
let refusal
try {
  void new ProcessPoolExecutor({ startMethod: 'fork' })
} catch (error) {
  const { name, code, message, reasons: carried } = /** @type {any} */ (error)
  refusal = { name, code, message, reasons: carried }
}
say({ safe, reasons, refusal })
process.exit()
