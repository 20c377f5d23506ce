// Fork servers that do not answer: nobody's event loop waits for them.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Pool } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { forked } from './fixtures/forked.mjs'
import { test } from './helpers/leaks.js'
import { Gate, makePool, tempDirectory } from './helpers/pool.js'
import { childrenOf, isAlive, workersOf } from './helpers/processes.mjs'
import { moment, until, within } from './helpers/waiting.js'

const options = { startMethod: 'forkserver', maxWorkers: 1 } as const

if (process.platform === 'linux') {
  test('submit() does not wait for a server that is stopped, and the server forks when it goes on', async (t) => {
    const pool = makePool(t, { ...options, idleTimeout: 0 })
    await pool.submit(tasks.pid)
    await until('the worker to leave', () => workersOf().length === 0)
    const server = childrenOf()[0]!.pid
    process.kill(server, 'SIGSTOP')
    t.teardown(() => isAlive(server) && process.kill(server, 'SIGCONT'))
    const call = pool.submit(forked.who)
    await moment()
    t.false(call.done())
    process.kill(server, 'SIGCONT')
    const { ppid } = await within('the call', call, () => pool.dumpState())
    t.is(ppid, server)
  })

  test('a server that stays stopped is replaced by another one, and the call runs', async (t) => {
    const pool = makePool(t, options)
    const pid = await pool.submit(tasks.pid)
    const server = childrenOf()[0]!.pid
    process.kill(server, 'SIGSTOP')
    const call = pool.submit(tasks.hold, new Gate(t).path, 0)
    await until('the call to run', () => call.running())
    process.kill(pid, 'SIGKILL')
    await within('the end of the call', call.exception(), () => pool.dumpState())
    const next = await within('the next call', pool.submit(forked.who), () => pool.dumpState())
    t.not(next.ppid, server)
    await pool.shutdown()
    t.false(isAlive(server))
    t.deepEqual(childrenOf(), [])
  })

  test('a new Pool does not wait for its preload modules', async (t) => {
    const gate = new Gate(t)
    const slow = join(tempDirectory(t), 'slow.mjs')
    writeFileSync(
      slow,
      `import { existsSync } from 'node:fs'
       const word = new Int32Array(new SharedArrayBuffer(4))
       while (existsSync(${JSON.stringify(gate.path)})) Atomics.wait(word, 0, 0, 10)`,
    )
    const pool = new Pool(2, { startMethod: 'forkserver', execArgv: [], preload: [slow] })
    t.teardown(() => pool.terminate())
    t.is(workersOf().length, 0)
    const call = pool.apply(tasks.add, [1, 2])
    await moment()
    gate.open()
    t.is(await within('the call', call), 3)
    await until('all workers', () => workersOf().length === 2)
    await pool.terminate()
  })
}
