// The agreement of the codec with V8's serializer, on generated values that come several times: so their shapes have
// code where code can be generated.

import fc from 'fast-check'
import { deepStrictEqual, equal, ok, throws } from 'node:assert/strict'
import { readers } from '../../src/codec/read-shapes.js'
import { deserialize, serialize } from '../../src/codec/v8.js'
import { writers } from '../../src/codec/written-shapes.js'
import { difference, sendArguments, sendResult } from './codec.js'
import { build, oddPlans, plainPlans } from './codec-plain-values.js'

export const byV8 = (value: unknown): unknown => deserialize(serialize(value).payload, false)

/** Has each shape get code when it is met for the first time, whatever was before. */
export function compileSoon(): void {
  writers.setPatience(-Infinity)
  readers.setPatience(-Infinity)
}

/** Plain data arrives as V8 would have it. */
export function checkPlain(numRuns: number, seed?: number): void {
  fc.assert(
    fc.property(plainPlans, fc.boolean(), (plans, owned) => {
      const value = build(plans, () => ok(false, 'there is no code in it'))
      const expected = byV8(value)
      for (let i = 0; i < 3; i++) {
        const arrived = sendResult(value, owned)
        equal(difference(arrived, expected), undefined)
        deepStrictEqual(arrived, expected)
      }
      equal(difference(sendArguments([value, { value }]), byV8([value, { value }])), undefined)
    }),
    { numRuns, seed },
  )
}

/**
 * Whatever a value is, V8 has the same result, and the code of both runs in the same order. Returns how often shapes
 * had code then.
 */
export function checkOdd(numRuns: number, seed?: number): number {
  let compiled = 0
  fc.assert(
    fc.property(oddPlans, (plans) => {
      for (let i = 0; i < 2; i++) sendIfPossible(build(plans, () => {}))
      if (writers.size > 0) compiled++
      const notes: string[][] = [[], []]
      const [ours, theirs] = notes.map((list) => build(plans, (what) => list.push(what)))
      let expected: unknown
      try {
        expected = byV8(theirs)
      } catch {
        throws(() => sendResult(ours), { code: 'ERR_MILLRACE_SERIALIZATION' })
        return
      }
      equal(difference(sendResult(ours), expected), undefined)
      // After the encoder, the search for objects that V8 has emptied reads properties, too.
      deepStrictEqual(notes[0].slice(0, notes[1].length), notes[1])
    }),
    { numRuns, seed },
  )
  return compiled
}

function sendIfPossible(value: unknown): void {
  try {
    sendResult(value)
  } catch {
    // Some values cannot be sent.
  }
}
