// Generated values for the codec: all kinds that structured clone takes, linked into graphs with shared references and
// cycles.

import fc from 'fast-check'

const units = fc
  .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 })
  .map((list) => String.fromCharCode(...list))

/** Strings of every kind: one byte, two bytes, lone surrogates, long ones. */
export const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  units,
  fc.constantFrom('', '\0', '\xff', 'é', 'Ā', '\ud800', 'a\udc00b', '😀', '__proto__'),
  fc.tuple(units, fc.integer({ min: 1, max: 3000 })).map(([unit, times]) => unit.repeat(times).slice(0, 40_000)),
)

export const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 53 + 2, 5e-324, 1e21),
)

export const bigint = fc.oneof(
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }),
  fc.constantFrom(0n, 2n ** 63n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 2000n, -(7n ** 700n)),
)

/** Scalars that need no serializer. */
export const smallScalar = fc.oneof(
  number,
  fc.string(),
  units,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom<unknown>(undefined, null, true, false),
)

/** Scalars of any size. */
export const scalar = fc.oneof(number, text, bigint, fc.constantFrom<unknown>(undefined, null, true, false))

type Memory = ArrayBuffer & { resize(bytes: number): void }
const ResizableBuffer = ArrayBuffer as unknown as new (bytes: number, options?: { maxByteLength: number }) => Memory

/** Every class of typed arrays that all versions of Node have. */
export const typedArrays = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
]

const viewClasses = [DataView, ...typedArrays]

/** ArrayBuffers, some of them resizable. */
export const memory = fc
  .tuple(fc.uint8Array({ maxLength: 64 }), fc.option(fc.integer({ min: 0, max: 32 })))
  .map(([bytes, room]) => {
    const size = bytes.length
    const buffer = room === null ? new ArrayBuffer(size) : new ResizableBuffer(size, { maxByteLength: size + room })
    new Uint8Array(buffer).set(bytes)
    return buffer
  })

/** A view of any class over any part of a memory. */
export function viewOf(
  buffer: ArrayBuffer,
  classIndex: number,
  from: number,
  to: number,
  tracks: boolean,
): ArrayBufferView {
  const View = viewClasses[classIndex % viewClasses.length] as any
  const size: number = View.BYTES_PER_ELEMENT ?? 1
  const slots = Math.floor(buffer.byteLength / size)
  const start = Math.min(from, to) % (slots + 1)
  const end = Math.max(start, Math.max(from, to) % (slots + 1))
  const isGrowable = (buffer as ArrayBuffer & { resizable: boolean }).resizable
  // Node 20 makes a view that grows only if the view's last element is whole.
  return tracks && isGrowable && buffer.byteLength % size === 0
    ? new View(buffer, start * size)
    : new View(buffer, start * size, end - start)
}

const leaf = fc.oneof(
  scalar,
  fc.date({ noInvalidDate: false }),
  fc.constantFrom<unknown>(/a|b/giu, /[/\]]+/, Object(1n), Object(-0), Object('text'), Object(true), Object(NaN)),
  fc
    .tuple(fc.string(), fc.boolean())
    .map(([message, has]) => new TypeError(message, has ? { cause: message } : undefined)),
)

const key = fc.oneof(
  fc.string(),
  units,
  fc.nat(20).map(String),
  fc.constantFrom('__proto__', 'constructor', 'length', 'toString', 'a', 'b', 'then'),
)

/** A child of a container: the number of another node, or a value. */
const child = fc.oneof(
  fc.nat(30).map((node) => ({ node, leaf: undefined as unknown })),
  leaf.map((leaf) => ({ node: -1, leaf })),
)

const plan = fc.record({
  kind: fc.constantFrom('object', 'bare', 'array', 'sparse', 'map', 'set', 'view', 'memory', 'instance'),
  children: fc.array(fc.tuple(key, child, child), { maxLength: 6 }),
  numbers: fc.tuple(fc.nat(1000), fc.nat(100), fc.nat(100)),
  tracks: fc.boolean(),
})

class Instance {}

interface Plan {
  kind: string
  children: [string, { node: number; leaf: unknown }, { node: number; leaf: unknown }][]
  numbers: [number, number, number]
  tracks: boolean
}

function empty({ kind, numbers: [which, from, to], tracks, children }: Plan, memories: ArrayBuffer[]): object {
  const buffer = memories[which % memories.length]
  switch (kind) {
    case 'object':
      return {}
    case 'bare':
      return Object.create(null)
    case 'instance':
      return new Instance()
    case 'array':
      return []
    case 'sparse':
      return new Array(children.length + from)
    case 'map':
      return new Map()
    case 'set':
      return new Set()
    case 'view':
      return viewOf(buffer, which, from, to, tracks)
    default:
      return buffer
  }
}

function fill(node: object, { kind, children }: Plan, nodes: object[]): void {
  const value = ({ node, leaf }: { node: number; leaf: unknown }) => (node < 0 ? leaf : nodes[node % nodes.length])
  for (const [key, first, second] of children) {
    if (node instanceof Map) node.set(value(first), value(second))
    else if (node instanceof Set) node.add(value(first))
    else if (kind === 'array' && Number.isNaN(Number(key))) (node as unknown[]).push(value(first))
    else if (kind !== 'view' && kind !== 'memory' && key !== 'length') {
      // Defined, not assigned: `__proto__` has to become a key.
      Object.defineProperty(node, key, { value: value(first), enumerable: true, writable: true, configurable: true })
    }
  }
}

/** A graph of containers and leaves; the first node is its root. */
export const graph = fc
  .tuple(fc.array(plan, { minLength: 1, maxLength: 8 }), fc.array(memory, { minLength: 1, maxLength: 3 }))
  .map(([plans, memories]) => {
    const nodes = plans.map((plan) => empty(plan as Plan, memories))
    plans.forEach((plan, i) => fill(nodes[i], plan as Plan, nodes))
    return nodes[0]
  })
