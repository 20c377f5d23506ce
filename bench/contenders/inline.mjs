// The floor of all contenders: calls in the same thread.

import { named } from '../functions.mjs'

/** @type {import('./index.mjs').Contender} */
export default {
  version: () => `Node ${process.version}`,
  local: true,
  start: () => ({
    call: async (name, args) => named(name)(...args),
    async flood(name, args, _inFlight, limit) {
      const called = named(name)
      // There are no first calls of a pool here, so each flood has a time.
      const deadline = performance.now() + ('milliseconds' in limit ? limit.milliseconds : 0)
      let calls = 0
      // Reading the clock costs more than the shortest function.
      let batch = 1
      for (let now = performance.now(); now < deadline;) {
        for (let i = 0; i < batch; i++) called(...args)
        calls += batch
        const ended = performance.now()
        if (ended - now < 0.1) batch *= 2
        now = ended
      }
      return calls
    },
    async map(name, items) {
      const called = named(name)
      let sum = 0
      for (const item of items) sum += /** @type {number} */ (called(item))
      return sum
    },
    mapArray: async (name, items) => items.map((item) => /** @type {number} */ (named(name)(item))),
    stop() {},
  }),
}
