// The task of the service. Workers load this module; the service imports it to name the function.

import { defineTasks, taskContext } from 'millrace'

export const { countPrimes } = defineTasks(import.meta.url, {
  /**
   * Counts the primes below a number, the slow way: it stands for any computation of your own.
   *
   * @param {number} below
   */
  countPrimes(below) {
    const context = taskContext()
    let count = 0
    for (let n = 2; n < below; n++) {
      // A look into shared memory. A call that is stopped ends here within its grace, and its worker goes on.
      if (n % 1000 === 0) context?.throwIfStopped()
      if (isPrime(n)) count++
    }
    return count
  },
})

/** @param {number} n */
function isPrime(n) {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return true
}
