// The one place where it is registered what becomes of a pool that nobody ends: when it is collected, and when its process,
// or thread, ends.

import type { PoolLife } from './life.js'

const collected = new FinalizationRegistry<PoolLife>((life) => {
  unwatch(life)
  life.dropped()
})

/** Those that have not ended. They lead to no pool. */
const lives = new Set<PoolLife>()
let watching = false

/** Has `life` end when `pool` is collected or the process ends. After the core has been made: its workers are killed first. */
export function watchOver(pool: object, life: PoolLife): void {
  collected.register(pool, life)
  lives.add(life)
  if (watching) return
  watching = true
  process.on('exit', () => {
    for (const one of lives) one.processEnds()
  })
}

/** The pool has ended by itself. */
export function unwatch(life: PoolLife): void {
  lives.delete(life)
}
