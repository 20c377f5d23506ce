// The clock of a worker.

const { uptime } = process

/**
 * Milliseconds by a clock that only goes forward. The first use of `performance` would cost the start a millisecond.
 */
export function monotonicMs(): number {
  return uptime() * 1000
}
