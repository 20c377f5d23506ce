// A program on a terminal: node terminal.mjs mode|use METHOD [HOW]. Says its result as JSON between SAID and END.

import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { ProcessPoolExecutor } from 'millrace'

const [what, startMethod, how = ''] = process.argv.slice(2)

/** @param {unknown} value */
const say = (value) => {
  console.log(`SAID ${JSON.stringify(value)} END`)
  process.exit()
}

/** Whether the terminal hands over lines or single characters. */
const mode = () => {
  const { stdout } = spawnSync('stty', ['-a'], { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' })
  return /-icanon/.test(stdout) ? 'raw' : 'cooked'
}

if (what === 'mode') {
  const pool = new ProcessPoolExecutor({
    maxWorkers: 1,
    startMethod: /** @type {'spawn'} */ (startMethod),
    ...(how === 'idle' && { idleTimeout: 100 }),
    ...(how === 'recycled' && { maxTasksPerChild: 2 }),
  })
  const left = new Promise((resolve) => pool.once('workerExit', resolve))
  await pool.submit(() => 1)
  process.stdin.setRawMode(true)
  const before = mode()
  if (how === 'recycled') await pool.submit(() => 2)
  if (how === 'killed') await pool.terminateWorkers()
  if (how === 'shutdown') await pool.shutdown()
  await left
  // The last steps of the fork server, too.
  if (how !== 'shutdown') await pool.shutdown()
  await sleep(100)
  say([before, mode()])
} else {
  spawnSync('stty', ['tostop'], { stdio: 'inherit' })
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, startMethod: /** @type {'spawn'} */ (startMethod) })
  /** @param {string} command */
  const shell = async (command) => {
    const { spawnSync } = await import('node:child_process')
    return `status ${spawnSync('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] }).status}`
  }
  const direct = async () => {
    const fs = await import('node:fs')
    try {
      return `${fs.readSync(fs.openSync('/dev/tty', 'r+'), Buffer.alloc(10))} bytes`
    } catch (error) {
      return /** @type {NodeJS.ErrnoException} */ (error).code
    }
  }
  const log = () => {
    console.log('written by a worker')
    return 'written'
  }
  const answers = [
    await pool.submit(log),
    await pool.submit(shell, 'stty -echo < /dev/tty; stty echo < /dev/tty'),
    await pool.submit(shell, 'head -c 1 < /dev/tty'),
    await pool.submit(shell, 'head -c 1 <&2'),
    await pool.submit(direct),
  ]
  const pids = pool.stats().restarts + 1
  await pool.shutdown()
  say({ answers, pids })
}
