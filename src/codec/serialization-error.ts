// The `SerializationError`s of the codec.

import { SerializationError } from '../errors/index.js'
import { type Culprit, findCulprit } from './uncloneable.js'

export type Stage = 'arguments' | 'result'

/** The roots of paths. */
export const ROOTS = { arguments: 'args', result: 'result' } as const

/** The error for a value that V8 has written without complaint, although the value cannot travel. */
export function lostValue(stage: Stage, { path, problem }: Culprit): SerializationError {
  return new SerializationError(`The ${stage} cannot be sent to another process: ${path} ${problem}`, { stage, path })
}

/** The error for a value that could not be encoded. `cause` is the error that stopped the encoder. */
export function unencodable(stage: Stage, value: unknown, cause: unknown): SerializationError {
  const root = ROOTS[stage]
  const { path, problem } = findSafely(value, root) ?? { path: root, problem: 'could not be cloned' }
  return new SerializationError(`The ${stage} cannot be sent to another process: ${path} ${problem}`, {
    stage,
    path,
    cause,
  })
}

/** The error for a payload that cannot be decoded. */
export function undecodable(stage: Stage, cause: unknown): SerializationError {
  return new SerializationError(`The ${stage} cannot be decoded: the payload is damaged`, { stage, cause })
}

// The search may run out of memory or stack, as the encoder did. There has to be an error all the same.
function findSafely(value: unknown, root: string): Culprit | undefined {
  try {
    return findCulprit(value, root, true)
  } catch {
    return undefined
  }
}
