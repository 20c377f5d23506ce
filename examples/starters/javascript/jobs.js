// The tasks: functions that workers run. Workers import this file, so it starts nothing by itself.

import { defineTasks } from 'millrace'

/**
 * The number of primes below `limit`.
 *
 * @param {number} limit
 */
function countPrimes(limit) {
  let count = 0
  for (let n = 2; n < limit; n++) if (isPrime(n)) count++
  return count
}

/** @param {number} n */
function isPrime(n) {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return true
}

export const tasks = defineTasks(import.meta.url, { countPrimes })
