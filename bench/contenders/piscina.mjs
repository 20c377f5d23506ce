// The contender piscina.

import { Piscina } from 'piscina'

import { workerFile } from './installed.mjs'

/** @type {import('./index.mjs').Contender} */
export default {
  start({ workers }) {
    const pool = new Piscina({
      filename: workerFile('by-name').href,
      minThreads: workers,
      maxThreads: workers,
      maxQueue: Infinity,
    })
    return {
      call: (name, args) => pool.run(args, { name }),
      stop: () => pool.destroy(),
    }
  },
}
