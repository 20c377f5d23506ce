// The contender poolifier.

import { FixedThreadPool } from 'poolifier'
import { fileURLToPath } from 'node:url'

import { sleep } from '../measure.mjs'
import { workerFile } from './installed.mjs'

/** @type {import('./index.mjs').Contender} */
export default {
  start({ workers }) {
    /** @type {FixedThreadPool<unknown[], unknown>} */
    const pool = new FixedThreadPool(workers, fileURLToPath(workerFile('poolifier')))
    return {
      call: (name, args) => pool.execute(args, name),
      async stop() {
        const threads = pool.workerNodes.map(({ worker }) => worker)
        // Sometimes destroy() never settles.
        await Promise.race([pool.destroy(), sleep(1000)])
        await Promise.all(threads.map((thread) => thread.terminate()))
      },
    }
  },
}
