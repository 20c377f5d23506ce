// The floor of pools of Node processes: child_process.fork alone, with its better serialization.

import { fork } from 'node:child_process'
import { once } from 'node:events'

import { workerFile } from './installed.mjs'
import { raw } from './raw.mjs'

/** @type {import('./index.mjs').Contender} */
export default {
  version: () => `Node ${process.version}, child_process.fork, serialization: 'advanced'`,
  start({ workers }) {
    const children = Array.from({ length: workers }, () => fork(workerFile('raw'), { serialization: 'advanced' }))
    const { session, onAnswer } = raw(
      children.map((child) => (message) => child.send(/** @type {any} */ (message))),
      async () => {
        await Promise.all(
          children.map((child) => {
            const exited = once(child, 'exit')
            child.disconnect()
            return exited
          }),
        )
      },
    )
    for (const child of children) child.on('message', onAnswer)
    return session
  },
}
