import { Piscina } from 'piscina'

import { version, workerFile } from './installed.mjs'

/** @type {import('./index.mjs').Contender} */
export default {
  version: () => version('piscina'),
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
