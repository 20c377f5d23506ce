// The base class of the package's errors, and the brand by which `instanceof` knows them.
// A brand has two halves: an own property of the class, whose value is a key, and a property of the class's prototype
// under that key, which all instances inherit. Keys come from the global symbol registry, so two copies of the package
// in one process recognise each other's errors.
const BRAND = Symbol.for('millrace.error.brand')

interface Branded {
  readonly [BRAND]: symbol
}

/**
 * Gives an error class its name and its brand. Called once for each class, from the class's static block.
 *
 * The name is a property of the prototype and not enumerable, as for built-in errors. So a stack begins with this name
 * from the moment of its capture, and `util.inspect` does not repeat the name among the fields.
 */
export function brand(errorClass: Function, name: string): void {
  const key = Symbol.for(`millrace.error.${name}`)
  Object.defineProperty(errorClass, BRAND, { value: key })
  Object.defineProperty(errorClass.prototype, key, { value: true })
  Object.defineProperty(errorClass.prototype, 'name', { value: name, writable: true, configurable: true })
}

/** The details that the constructors of all errors of this package take. */
export interface ErrorDetails {
  /** The reason for this error: any value, as for `new Error(message, { cause })`. */
  cause?: unknown
  /** The label of the call that failed. */
  label?: string | undefined
}

/**
 * The base of all errors that this package makes itself. No error is of this very class.
 *
 * Catch it to tell the pool's own failures from the errors of tasks: an error that a task throws arrives as an instance
 * of its own class, or as a `RemoteError`. `instanceof` works across several copies of the package in one process.
 */
export class MillraceError extends Error {
  static {
    brand(this, 'MillraceError')
  }

  /** The error's code, for programs to compare: it is stable between releases, the message is not. */
  readonly code: string = 'ERR_MILLRACE'
  /** The `label` of the call that the error is about, if the caller gave one. The message has it, too, in brackets. */
  declare readonly label?: string

  /** The index, from 0, of the item of a `map` to which the error belongs; absent elsewhere. */
  declare readonly index?: number

  constructor(message: string, details?: ErrorDetails) {
    // `{ cause: undefined }` is a given cause: a task may throw undefined. Without the key there is no property.
    super(message, details !== undefined && 'cause' in details ? { cause: details.cause } : undefined)
    if (details?.label !== undefined) this.label = details.label
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A class that a user has derived inherits this method but has no brand of its own: `instanceof` works as usual.
    if (!Object.hasOwn(this, BRAND)) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && (this as unknown as Branded)[BRAND] in value
  }
}

/**
 * A copy of an error of this package that tells the label of its call, in the message and as a field; the error itself
 * without a label, or if it is any other value. Only for errors about the call, not for those that its task throws.
 */
export function withLabel<E>(error: E, label: string | undefined): E {
  if (label === undefined || !(error instanceof MillraceError)) return error
  const Class = error.constructor as new (message: string, details: object) => E
  const details = 'cause' in error ? { ...error, cause: error.cause, label } : { ...error, label }
  return new Class(`${error.message} [${label}]`, details)
}
