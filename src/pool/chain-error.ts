// The chain of causes when an error callback throws.

import { types } from 'node:util'

import { MillraceError } from '../errors/index.js'
import { show } from '../util/text.js'

/**
 * The error of a callback that threw when it was told of another error, `original`. `original` becomes the end of the
 * thrown error's chain of causes. Where the chain has no place for it, a new error says both. Runs no code of the
 * thrown value.
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
