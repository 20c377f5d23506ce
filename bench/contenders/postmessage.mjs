// A floor for whatever uses threads: worker_threads and postMessage, with nothing around them. Calls go to the workers in
// turn, and an answer is a message with the call's number.

import { isMainThread, parentPort, Worker } from 'node:worker_threads'

import { functions } from '../functions.mjs'

/** Items in one message of `map`. */
const CHUNK = 1000

if (!isMainThread) {
  const byName = /** @type {Record<string, (...args: any[]) => unknown>} */ (functions)
  parentPort?.on('message', ([id, name, args, isChunk]) => {
    const called = byName[name]
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
    parentPort?.postMessage([id, isChunk ? args.map(called) : called?.(...args)])
  })
}

/** @type {import('./index.mjs').Contender} */
export default {
  title: 'raw postMessage',
  version: () => `Node ${process.version}, worker_threads`,
  async start({ workers }) {
    const threads = Array.from({ length: workers }, () => new Worker(new URL(import.meta.url)))
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('online', resolve))))
    /** @type {(answer: [id: number, value: unknown]) => void} */
    let onAnswer = unexpected
    for (const thread of threads) thread.on('message', (answer) => onAnswer(answer))
    let next = 0
    /** @param {unknown} message */
    const post = (message) => threads[next++ % threads.length]?.postMessage(message)

    return {
      call: (name, args) =>
        new Promise((resolve) => {
          onAnswer = ([, value]) => resolve(value)
          post([0, name, args, false])
        }),
      flood: (name, args, inFlight, milliseconds) =>
        new Promise((resolve) => {
          const deadline = performance.now() + milliseconds
          let made = 0
          let answered = 0
          let over = false
          onAnswer = () => {
            if ((++answered & 63) === 0 && performance.now() > deadline) over = true
            if (!over) post([made++, name, args, false])
            else if (answered === made) resolve(answered)
          }
          while (made < inFlight) post([made++, name, args, false])
        }),
      map: (name, items) =>
        new Promise((resolve) => {
          let left = Math.ceil(items.length / CHUNK)
          let sum = 0
          onAnswer = ([, values]) => {
            for (const value of /** @type {number[]} */ (values)) sum += value
            if (--left === 0) resolve(sum)
          }
          for (let at = 0; at < items.length; at += CHUNK) post([at, name, items.slice(at, at + CHUNK), true])
        }),
      async stop() {
        await Promise.all(threads.map((thread) => thread.terminate()))
      },
    }
  },
}

/** @param {unknown[]} answer */
function unexpected(answer) {
  throw new Error(`Nobody has asked for ${answer}`)
}
