// The numbers of the wire: those of src/wire/ beside those that Rust has, and JavaScript gets from the addon.

import test from 'ava'

import { native } from '../src/native/index.js'
import * as wire from '../src/wire/index.js'

/** Host and worker agree on these alone: native code carries the flags of results, and does not look at them. */
const NOT_IN_RUST = new Set(['ResultFlag'])

const inTypeScript = new Map(
  Object.entries(wire).flatMap(([name, value]) =>
    typeof value === 'object' && !NOT_IN_RUST.has(name)
      ? [[name.charAt(0).toLowerCase() + name.slice(1), value as Record<string, number>]]
      : [],
  ),
)
const inRust = native.wireNumbers()

test('Rust and TypeScript have the same groups of numbers', (t) => {
  t.deepEqual([...inTypeScript.keys()].sort(), Object.keys(inRust).sort())
  t.true(inTypeScript.size > 5)
})

for (const [group, numbers] of inTypeScript) {
  test(`the numbers of '${group}' are the same in Rust and in TypeScript`, (t) => {
    t.deepEqual(numbers, inRust[group])
  })
}
