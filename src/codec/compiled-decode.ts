// Code that makes objects of one shape: an object literal, whose values are read one after the other.
//
// A literal defines its properties, whatever `Object.prototype` has. The keys come from the other side: they are
// string literals in the code, and `__proto__` is a computed key, which is like any other.

import { type ReadShape, readers } from './read-shapes.js'
import { literal, MOST_KEYS } from './shape-code.js'
import { TextPlace } from './short-text.js'

/** Gives a shape code, unless there can be none. `read` reads the next value. */
export function compileReader(shape: ReadShape, read: (depth: number, place: TextPlace) => unknown): void {
  const { keys } = shape
  shape.met = 0
  if (keys.length > MOST_KEYS) return
  const properties = keys.map((key, i) => {
    return `${key === '__proto__' ? '["__proto__"]' : literal(key)}: read(depth, p[${i}])`
  })
  const source = `'use strict'\nreturn (depth) => ({\n${properties.join(',\n')}\n})`
  readers.give(shape, source, ['read', 'p'], [read, keys.map(() => new TextPlace())])
}
