// Code that writes the values of objects of one shape.
//
// The keys are compared with constants. V8 keeps the keys of objects that are made alike, so nothing is allocated for
// that. Then a value is read as `object.key`, which V8 does by one comparison and one load. So an accessor runs, as it
// does when V8 clones the object: in the same order, and once. `plain-encode.ts` knows what to do when the payload is
// given up later.

import { literal, MOST_KEYS } from './shape-code.js'
import { OTHER_SHAPE, Position, type WrittenShape, writers } from './written-shapes.js'

/** What the code calls. Each returns the position behind what it has written, or -1. */
export interface ValueWriters {
  begin(shape: WrittenShape, at: number): number
  text(value: string, at: number): number
  number(value: number, at: number): number
  /** Writes any value of `object[key]`, unless the object has lost this property. */
  other(value: unknown, at: number, depth: number, position: Position, object: object, key: string): number
}

const ObjectPrototype = Object.prototype

/** Gives a shape code, unless there can be none. */
export function compileWriter(shape: WrittenShape, { begin, text, number, other }: ValueWriters): void {
  const { keys } = shape
  shape.met = 0
  // With a key that objects inherit, the code would not notice that an accessor has deleted the property. Objects with
  // indices are examined one by one.
  if (keys.length > MOST_KEYS || shape.isIndexed || keys.some((key) => key in ObjectPrototype)) return
  const names = keys.map(literal)
  const comparisons = names.map((name, i) => `case ${i}: if (k !== ${name}) return ${OTHER_SHAPE}; break`)
  const steps = names.map((name, i) => {
    return `v = o[${name}]
at = typeof v === 'string' ? text(v, at)
: typeof v === 'number' ? number(v, at)
: other(v, at, depth, p[${i}], o, ${name})
if (at < 0) return at`
  })
  const source = `'use strict'
return (o, at, depth) => {
let v, i = 0
for (const k in o) {
switch (i++) {
${comparisons.join('\n')}
default: return ${OTHER_SHAPE}
}
}
if (i !== ${keys.length}) return ${OTHER_SHAPE}
at = begin(s, at)
${steps.join('\n')}
return at
}`
  const positions = keys.map(() => new Position())
  writers.give(
    shape,
    source,
    ['s', 'p', 'begin', 'text', 'number', 'other'],
    [shape, positions, begin, text, number, other],
  )
}
