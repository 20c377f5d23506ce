// The check of a collection of futures.

import { invalidType } from '../util/validate.js'
import { Future } from './future.js'

/**
 * The futures in their order, without repetitions.
 *
 * @throws TypeError when a member is no future.
 */
export function collectFutures<F extends Future<unknown>>(futures: Iterable<F>): Set<F> {
  if (futures === null || typeof futures !== 'object' || typeof futures[Symbol.iterator] !== 'function') {
    throw invalidType('futures', 'an iterable of futures', futures)
  }
  const all = new Set<F>()
  let index = 0
  for (const future of futures) {
    if (!(future instanceof Future)) throw invalidType(`futures[${index}]`, 'a future', future)
    all.add(future)
    index++
  }
  return all
}
