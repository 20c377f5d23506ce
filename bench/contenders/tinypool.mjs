// The contender tinypool.

import { Tinypool } from 'tinypool'

import { workerFile } from './installed.mjs'

/** @type {import('./index.mjs').Contender} */
export default {
  start({ workers }) {
    const pool = new Tinypool({
      filename: workerFile('by-name').href,
      minThreads: workers,
      maxThreads: workers,
    })
    return {
      call: (name, args) => pool.run(args, { name }),
      stop: () => pool.destroy(),
    }
  },
}
