// A program that says whether it could be forked, after it has done what its argument asks for.

import { execFile } from 'node:child_process'
import { pbkdf2 } from 'node:crypto'
import { lookup } from 'node:dns/promises'
import { openSync, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { open } from 'node:inspector'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { gzip } from 'node:zlib'
import { forkSafety, ProcessPoolExecutor } from 'millrace'
import { say } from './observe.mjs'

const gzipped = promisify(gzip)
const run = promisify(execFile)
const idle = new Int32Array(new SharedArrayBuffer(4))
const { preparation } = JSON.parse(process.argv[2] ?? '{}')

/** @type {Record<string, () => unknown>} */
const preparations = {
  nothing: () => {},
  // Starts the threads of libuv. They are made anew in a fork, and so are no reason.
  'work that is over': () => promisify(pbkdf2)('a', 'b', 1, 8, 'sha256'),
  'work that is not': () => pbkdf2('a', 'b', 4_000_000, 8, 'sha256', () => {}),
  'much of Node that is over': async () => {
    await gzipped(Buffer.alloc(100_000))
    await run(process.execPath, ['-e', '0'])
    await lookup('localhost')
    await crypto.subtle.digest('SHA-256', Buffer.alloc(10))
    await readFile(new URL(import.meta.url))
    watch(new URL('.', import.meta.url)).close()
    const server = createServer((socket) => socket.end('hello'))
    await new Promise((resolve) => void server.listen(0, '127.0.0.1', () => resolve(undefined)))
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
    await new Promise((resolve) => connect(port).resume().once('close', resolve))
    await new Promise((resolve) => void server.close(resolve))
    const thread = new Worker('process.getuid()', { eval: true })
    await new Promise((resolve) => thread.once('exit', resolve))
    process.once('SIGUSR2', () => {}).removeAllListeners('SIGUSR2')
  },
  'an open file': () => openSync(new URL(import.meta.url), 'r'),
  'an open device': () => openSync('/dev/null', 'r'),
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
// Work that began when this module was loaded is over after these turns.
await turn()
await turn()
// Work of threads is over as soon as a busy machine lets these threads go to sleep.
const computes = () =>
  preparation !== 'work that is not' && forkSafety().reasons.some((reason) => reason.includes('computing'))
while (computes()) await turn()
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
