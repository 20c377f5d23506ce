// Thenables: the values that `await` waits for.

/** Whether a value has a method `then`. May run code of the value's: a getter, or the trap of a proxy. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  )
}
