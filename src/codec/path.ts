// Paths of values as a programmer would write them: `args[0].rows[3].fn`, `result["a-b"]`, `args[1].get("key")`.

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u
const INDEX = /^(?:0|[1-9]\d{0,15})$/

/** The step to a property of an object or an array. */
export function propertyStep(key: string): string {
  if (IDENTIFIER.test(key)) return `.${key}`
  return INDEX.test(key) ? `[${key}]` : `[${JSON.stringify(key)}]`
}

/** The step to a value of a Map: by its key where the key can be written down, else by its ordinal. */
export function mapValueStep(key: unknown, ordinal: number): string {
  switch (typeof key) {
    case 'string':
      return `.get(${JSON.stringify(key)})`
    case 'bigint':
      return `.get(${key}n)`
    case 'number':
      return `.get(${Object.is(key, -0) ? '-0' : key})`
    case 'boolean':
    case 'undefined':
      return `.get(${key})`
    default:
      return key === null ? '.get(null)' : `.values()[${ordinal}]`
  }
}

/** The step to a key of a Map. */
export function mapKeyStep(ordinal: number): string {
  return `.keys()[${ordinal}]`
}

/** The step to a member of a Set. */
export function memberStep(ordinal: number): string {
  return `.values()[${ordinal}]`
}
