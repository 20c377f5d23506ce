// The tasks: functions that workers run. Workers import this file, so it starts nothing by itself.

import { defineTasks } from 'millrace'

/** The number of primes below `limit`. */
function countPrimes(limit: number): number {
  let count = 0
  for (let n = 2; n < limit; n++) if (isPrime(n)) count++
  return count
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return true
}

export const tasks = defineTasks(import.meta.url, { countPrimes })
