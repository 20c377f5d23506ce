// The contenders of workerpool, with threads and with processes.

import workerpool from 'workerpool'
import { fileURLToPath } from 'node:url'

import { workerFile } from './installed.mjs'

/**
 * @param {'thread' | 'process'} workerType
 * @returns {import('./index.mjs').Contender}
 */
const contender = (workerType) => ({
  start({ workers }) {
    const pool = workerpool.pool(fileURLToPath(workerFile('workerpool')), {
      workerType,
      minWorkers: workers,
      maxWorkers: workers,
      // With the default serialization, JSON, bytes do not arrive as bytes.
      forkOpts: { serialization: 'advanced' },
    })
    return {
      call: (name, args) => pool.exec(name, args),
      async stop() {
        await pool.terminate()
      },
    }
  },
})

export const threads = contender('thread')
export const processes = contender('process')
