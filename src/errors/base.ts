// The brand of a class is an own property of the constructor (which key) and an inherited property of its instances
// (the key itself, on the prototype). The key comes from the global symbol registry, so two copies of the package in
// one process recognise each other's errors.
const BRAND = Symbol.for('millrace.error.brand')

interface Branded {
  readonly [BRAND]: symbol
}

/**
 * Gives an error class its name and its brand. Called once per class, from its static block.
 *
 * The name lives on the prototype and is not enumerable, as for built-in errors: it then heads the stack already when
 * the stack is captured, and `util.inspect` does not repeat it among the fields.
 */
export function brand(errorClass: Function, name: string): void {
  const key = Symbol.for(`millrace.error.${name}`)
  Object.defineProperty(errorClass, BRAND, { value: key })
  Object.defineProperty(errorClass.prototype, key, { value: true })
  Object.defineProperty(errorClass.prototype, 'name', { value: name, writable: true, configurable: true })
}

/** What every error of this package accepts beside its message. */
export interface ErrorDetails {
  /** What led to this error; any value, as for `new Error(message, { cause })`. */
  cause?: unknown
}

/**
 * The base of every error that this package makes up itself.
 *
 * Never thrown as such; catch it to tell the pool's own failures from the errors of tasks (an error thrown by a task
 * arrives as its own class, or as a `RemoteError`). `instanceof` works across duplicate copies of the package.
 */
export class MillraceError extends Error {
  static {
    brand(this, 'MillraceError')
  }

  /** Stable between releases, unlike the message: what programs should compare. */
  readonly code: string = 'ERR_MILLRACE'

  constructor(message: string, details?: ErrorDetails) {
    // Only a `cause` that was given becomes a property; `{ cause: undefined }` was given (a task may throw undefined).
    super(message, details !== undefined && 'cause' in details ? { cause: details.cause } : undefined)
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A class that a user derived inherits this method but has no brand of its own: it keeps the ordinary meaning.
    if (!Object.hasOwn(this, BRAND)) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && (this as unknown as Branded)[BRAND] in value
  }
}
