// The elements of arrays: what an array has, and how an element is read. Of these functions only `elementOf` runs the
// code of an accessor.

import { types } from '../util/builtins.js'

const { hasOwn, keys: keysOf } = Object

/** The getter of an own property. For an index this is far cheaper than the descriptor. */
export const getterOf: (value: object, key: number) => unknown = Function.prototype.call.bind(
  (Object.prototype as unknown as { __lookupGetter__: (key: PropertyKey) => unknown }).__lookupGetter__,
)

/**
 * An element of an array. Once V8 has optimized an access by index for arrays of some kinds, the access changes the
 * user's array to the most general of them, where numbers take more room and time. An access that has seen too many
 * kinds changes nothing. So `beGeneral` has this one see kind after kind.
 */
export function elementOf(array: ArrayLike<unknown>, index: number): unknown {
  return array[index]
}

/** As many kinds as it takes: objects with an element and a key of their own. */
const KINDS = Array.from({ length: 32 }, (_, kind): ArrayLike<unknown> => ({
  length: 1,
  0: kind,
  [`kind ${kind}`]: kind,
}))

/** Has `elementOf` see one more kind. */
export function beGeneral(turn: number): unknown {
  return elementOf(KINDS[turn & 31], 0)
}
for (let turn = 0; turn < KINDS.length; turn++) beGeneral(turn)

/** Whether an element is there, and is data. */
export function isData(array: unknown[], index: number): boolean {
  return hasOwn(array, index) && getterOf(array, index) === undefined
}

/**
 * Whether an array has all its elements, visible, and nothing else that is visible. Own keys come in order, indices
 * first: so with this many keys and this last key, all keys are indices.
 */
export function hasElementsOnly(array: unknown[], length: number): boolean {
  const keys = keysOf(array)
  return keys.length === length && (length === 0 || keys[length - 1] === indexText(length - 1))
}

/** Indices whose texts are known: most arrays are short. */
const KNOWN_INDICES = 64
const INDICES = Array.from({ length: KNOWN_INDICES }, (_, index) => String(index))

function indexText(index: number): string {
  return index < KNOWN_INDICES ? INDICES[index] : String(index)
}

/** Whether the first element is an object that is no array. */
export function beginsWithRecord(array: unknown[]): boolean {
  if (getterOf(array, 0) !== undefined) return false
  const first = elementOf(array, 0)
  return typeof first === 'object' && first !== null && !types.isProxy(first) && !Array.isArray(first)
}
