// A floor: the same functions, called here.

import { functions } from '../functions.mjs'

/** @type {import('./index.mjs').Contender} */
export default {
  title: 'inline',
  version: () => `Node ${process.version}`,
  async start() {
    const byName = /** @type {Record<string, (...args: any[]) => unknown>} */ (functions)
    return {
      call: async (name, args) => byName[name]?.(...args),
      async flood(name, args, _inFlight, milliseconds) {
        const called = byName[name]
        const deadline = performance.now() + milliseconds
        let calls = 0
        do {
          for (let i = 0; i < 1000; i++) called?.(...args)
          calls += 1000
        } while (performance.now() < deadline)
        return calls
      },
      async map(name, items) {
        let sum = 0
        for (const item of items) sum += /** @type {number} */ (byName[name]?.(item))
        return sum
      },
      stop() {},
    }
  },
}
