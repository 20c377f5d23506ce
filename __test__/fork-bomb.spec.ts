// Task modules that start workers when they are loaded, although each worker would load them again: under every start
// method.

import test from 'ava'
import { getAllStartMethods } from 'millrace'
import { forkable, runHost } from './helpers/hosts.js'

for (const startMethod of getAllStartMethods()) {
  const options = startMethod === 'fork' ? forkable : {}
  for (const module of ['pool-at-load', 'submits-at-load']) {
    test.serial(
      `${startMethod}: the task module ${module} fails its calls with advice, and starts nothing`,
      async (t) => {
        const said = await runHost<any>(t, 'fork-bomb', { startMethod, module }, options)
        t.is(said.failures.length, 3)
        for (const [name, cause, message] of said.failures) {
          t.deepEqual([name, cause], ['TaskLoadError', 'MillraceError'])
          t.regex(message, /starts a Pool while a worker loads it.*isWorker/)
        }
        t.deepEqual([said.workers, said.works], [1, 2])
      },
    )

    test.serial(`${startMethod}: with ${module} among its preload modules a pool breaks with advice`, async (t) => {
      const said = await runHost<any>(t, 'fork-bomb', { startMethod, module, preloaded: true }, options)
      t.deepEqual(said.failures[0].slice(0, 2), ['BrokenProcessPool', 'TaskLoadError'])
      t.regex(said.failures[0][2], /starts a Pool while a worker loads it.*isWorker/)
      t.is(said.workers, 0)
    })
  }
}
