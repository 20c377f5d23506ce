// Time in a worker.

const { uptime } = process

/**
 * Milliseconds by a clock that only goes forward. The one of `performance` is not made before it is used, which takes a
 * millisecond of a worker's start.
 */
export function monotonicMs(): number {
  return uptime() * 1000
}
