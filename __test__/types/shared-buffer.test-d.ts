// SharedBuffer and `transfer` as users see them. Compiled by scripts/test-types.sh, never run.

import { expectTypeOf } from 'expect-type'
import { type Future, type ProcessPoolExecutor, SharedBuffer } from 'millrace'

declare const pool: ProcessPoolExecutor
const sum = (numbers: Float64Array): number => numbers.length

const buffer = SharedBuffer.allocate(8, pool)
expectTypeOf(buffer).toEqualTypeOf<SharedBuffer>()
expectTypeOf(buffer).toExtend<ArrayBuffer>()
expectTypeOf(buffer.moved).toEqualTypeOf<boolean>()
expectTypeOf(SharedBuffer.allocate(8)).toEqualTypeOf<SharedBuffer>()
expectTypeOf(pool.run(sum, [new Float64Array(buffer)], { transfer: [buffer] })).toEqualTypeOf<Future<number>>()
pool.run(sum, [new Float64Array(1)], { transfer: [new ArrayBuffer(1)] })

// @ts-expect-error -- A view is no ArrayBuffer: its buffer is meant.
pool.run(sum, [new Float64Array(1)], { transfer: [7] })
// @ts-expect-error -- Bytes are a number.
SharedBuffer.allocate('8', pool)
// @ts-expect-error -- Not an executor.
SharedBuffer.allocate(8, {})
