import { types } from 'node:util'

import { MillraceError } from '../errors/index.js'
import { show } from '../util/text.js'

/**
 * The error of a callback that threw while it was told of another: with that one at the end of its chain of causes.
 * What has no place for it there is put into words instead. Runs no code of what was thrown.
 */
export function chainError(thrown: unknown, original: unknown): unknown {
  const seen = new Set<unknown>()
  let last = thrown
  while (last !== original) {
    if (!types.isNativeError(last) || seen.has(last)) return inWords(thrown, original)
    seen.add(last)
    const cause = Object.getOwnPropertyDescriptor(last, 'cause')
    if (cause === undefined) {
      const added = Reflect.defineProperty(last, 'cause', { value: original, writable: true, configurable: true })
      return added ? thrown : inWords(thrown, original)
    }
    last = cause.value
  }
  return thrown
}

function inWords(thrown: unknown, original: unknown): MillraceError {
  return new MillraceError(`errorCallback threw ${show(thrown)}`, { cause: original })
}
