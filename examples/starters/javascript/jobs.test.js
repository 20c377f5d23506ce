import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ProcessPoolExecutor } from 'millrace'
import { tasks } from './jobs.js'

const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
after(() => pool.shutdown())

test('counts primes here', () => {
  assert.equal(tasks.countPrimes(100), 25)
})

test('counts primes in a worker', async () => {
  assert.equal(await pool.submit(tasks.countPrimes, 100), 25)
})
