// A program of all three forms of tasks, by each start method of this platform. It runs in a project in which the
// package is installed. Its last line is `all is well`.

import { getAllStartMethods, importTasks, ProcessPoolExecutor } from 'millrace'
import { lines } from 'millrace/streams'
import { twice } from './tasks.mjs'

const { shout } = importTasks(new URL('jobs.mjs', import.meta.url))

for (const startMethod of getAllStartMethods().filter((method) => method !== 'fork')) {
  const pool = new ProcessPoolExecutor({ maxWorkers: 2, startMethod })
  const said = [
    await pool.submit((a, b) => a + b, 40, 2),
    await pool.submit(twice, 21),
    await pool.submit(shout, 'done'),
    (await pool.map(twice, [1, 2, 3]).toArray()).join(),
    await pool.submit(() => process.pid !== process.ppid && process.version),
  ]
  await pool.shutdown()
  const expected = [42, 42, 'DONE', '2,4,6', process.version]
  if (String(said) !== String(expected)) throw new Error(`${startMethod}: ${said}, and not ${expected}`)
  console.log(`${startMethod}: ${said}`)
}
if (typeof lines !== 'function') throw new Error('millrace/streams has no lines')
console.log('all is well')
