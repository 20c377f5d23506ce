// Generated values around the border of plain data: values that `PLAIN` writes, and values that only look like these. A
// plan can be built any number of times, with user code that notes when it runs.

import fc from 'fast-check'
import { scalar } from './codec-values.js'

const key = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'c',
    'id',
    'name',
    'value',
    'get',
    '__proto__',
    'constructor',
    'toString',
    'length',
    'toJSON',
  ),
  fc.constantFrom('', '0', '1', '7', '-1', '01', '4294967295', '\ud800', 'ключ', 'then', 'hasOwnProperty'),
  fc.string({ maxLength: 4 }),
)

const kinds = [
  'object',
  'object',
  'object',
  'array',
  'array',
  'bare',
  'frozen',
  'frozen array',
  'date',
  'buffer',
  'rows',
] as const
const oddKinds = [
  'getter',
  'getter that replaces itself',
  'getter that changes what came before',
  'setter',
  'hidden',
  'symbol key',
  'proxy',
  'array proxy',
  'holes',
  'extras',
  'hidden element',
  'getter as element',
  'instance',
  'arguments',
  'map',
  'bytes',
  'tagged',
  'cleared map',
  'deep',
  'regexp',
  'function',
] as const

type Kind = (typeof kinds)[number] | (typeof oddKinds)[number]
type Child = { node: number; leaf: unknown }

export interface PlainPlan {
  kind: Kind
  children: [string, Child][]
  size: number
}

const child = fc.oneof(
  { weight: 3, arbitrary: scalar.map((leaf) => ({ node: -1, leaf })) },
  { weight: 2, arbitrary: fc.nat(30).map((node) => ({ node, leaf: undefined as unknown })) },
)

function planOf(kind: fc.Arbitrary<Kind>): fc.Arbitrary<PlainPlan> {
  return fc.record({ kind, children: fc.array(fc.tuple(key, child), { maxLength: 6 }), size: fc.nat(20) })
}

/** Plans of plain data with shared references and cycles. */
export const plainPlans = fc.array(planOf(fc.constantFrom<Kind[]>(...kinds)), { minLength: 1, maxLength: 10 })

/** Plans with a value among them that is not plain. */
export const oddPlans = fc.array(
  planOf(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom<Kind[]>(...kinds) },
      { weight: 1, arbitrary: fc.constantFrom<Kind[]>(...oddKinds) },
    ),
  ),
  { minLength: 1, maxLength: 10 },
)

class Instance {}

export function argumentsOf(...list: unknown[]): object {
  return Reflect.apply(
    function () {
      return arguments
    },
    undefined,
    list,
  )
}

function empty({ kind, size }: PlainPlan): object {
  switch (kind) {
    case 'array':
    case 'frozen array':
    case 'extras':
    case 'hidden element':
    case 'getter as element':
    case 'rows':
      return []
    case 'holes':
      return new Array(size + 1)
    case 'bare':
      return Object.create(null)
    case 'date':
      return new Date(size * 1e11 - 1e12)
    case 'buffer':
      return Buffer.alloc(size, 'content')
    case 'bytes':
      return new Uint8Array(size)
    case 'instance':
      return new Instance()
    case 'map':
      return new Map([[size, size]])
    case 'cleared map':
      return Object.setPrototypeOf(new Map([[size, size]]), Object.prototype)
    case 'regexp':
      return /a+/g
    case 'arguments':
      return argumentsOf(size, 'x')
    default:
      return {}
  }
}

/** Builds the first value of a plan. `note` is called whenever code of the value's runs. */
export function build(plans: PlainPlan[], note: (what: string) => void): unknown {
  const nodes = plans.map(empty)
  const handler = new Proxy({}, { get: (_, trap) => note(`trap ${String(trap)}`) })
  const outer = nodes.map((node, i) => {
    const { kind } = plans[i]
    return kind === 'proxy' || kind === 'array proxy' ? new Proxy(kind === 'proxy' ? {} : [], handler) : node
  })
  const valueOf = ({ node, leaf }: Child): unknown => (node < 0 ? leaf : outer[node % outer.length])
  plans.forEach((plan, i) => fill(nodes[i], plan, valueOf, note, `node ${i}`))
  plans.forEach(({ kind }, i) => kind.startsWith('frozen') && Object.freeze(nodes[i]))
  return outer[0]
}

const define = (object: object, key: PropertyKey, attributes: PropertyDescriptor): void => {
  Object.defineProperty(object, key, { enumerable: true, configurable: true, ...attributes })
}

function fill(
  node: any,
  { kind, children, size }: PlainPlan,
  valueOf: (child: Child) => unknown,
  note: (what: string) => void,
  name: string,
): void {
  if (['date', 'buffer', 'bytes', 'map', 'cleared map', 'regexp'].includes(kind)) return
  const isList = Array.isArray(node)
  for (const [key, child] of children) {
    const value = valueOf(child)
    if (isList) node.push(value)
    else define(node, key, { value, writable: true })
  }
  const noted = (what: string, value: unknown) => () => {
    note(`${name} ${what}`)
    return value
  }
  switch (kind) {
    case 'rows':
      for (let i = 0; i < size; i++) node.push({ i, name: `row ${i}`, nested: { even: i % 2 === 0 } })
      break
    case 'getter':
      define(node, 'a', { get: noted('getter', size) })
      define(node, 'z', { get: noted('last getter', { size }) })
      break
    case 'getter that replaces itself':
      define(node, 'lazy', {
        get() {
          note(`${name} lazy`)
          define(node, 'lazy', { value: size, writable: true })
          return size
        },
      })
      break
    case 'getter that changes what came before':
      define(node, 'before', { value: { n: 1 }, writable: true })
      define(node, 'change', {
        get() {
          note(`${name} change`)
          node.before.n++
          node.added = size
          delete node.after
          return node.before
        },
      })
      define(node, 'after', { value: size, writable: true })
      break
    case 'setter':
      define(node, 'a', { set: noted('setter', 0) })
      break
    case 'hidden':
      define(node, 'a', { value: 1, enumerable: false })
      define(node, 'b', { get: noted('hidden getter', 0), enumerable: false })
      break
    case 'symbol key':
      define(node, Symbol.iterator, { get: noted('getter of a symbol', 0) })
      define(node, Symbol('s'), { value: 1 })
      break
    case 'tagged':
      define(node, Symbol.toStringTag, { get: noted('getter of the tag', 'Map') })
      break
    case 'extras':
      define(node, 'extra', { value: size })
      break
    case 'hidden element':
      define(node, node.length, { value: 'hidden', enumerable: false })
      break
    case 'getter as element':
      define(node, node.length, { get: noted('element', size) })
      break
    case 'deep':
      for (let i = 0, at = node; i < 150 + 10 * size; i++) at = at.a = i % 2 === 0 ? {} : { list: [i] }
      break
    case 'function':
      node.fn = noted('function', 0)
      break
  }
}
