// The floor of pools of threads: worker_threads and postMessage alone.

import { Worker } from 'node:worker_threads'

import { workerFile } from './installed.mjs'
import { raw } from './raw.mjs'

/** @type {import('./index.mjs').Contender} */
export default {
  version: () => `Node ${process.version}, worker_threads`,
  start({ workers }) {
    const threads = Array.from({ length: workers }, () => new Worker(workerFile('raw')))
    const { session, onAnswer } = raw(
      threads.map((thread) => (message) => thread.postMessage(message)),
      async () => {
        await Promise.all(threads.map((thread) => thread.terminate()))
      },
    )
    for (const thread of threads) thread.on('message', onAnswer)
    return session
  },
}
