// An idle pool costs nothing: no thread of the host or of a worker wakes.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import type { ProcessPoolOptions } from 'millrace'
import { test } from './helpers/leaks.js'
import { hasProc } from './helpers/processes.mjs'

/**
 * The voluntary context switches of each thread of a process, as text. The kernel counts one whenever a thread makes a
 * system call that waits.
 */
function switches(pid: number): string {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')
      return `${thread} ${/^voluntary_ctxt_switches:\s*(\d+)$/m.exec(status)?.[1]}`
    })
    .join(', ')
}

const QUIET_MS = 10_000
const PATIENCE_MS = 90_000

/** Waits until host and workers of a pool with these options have slept for some seconds. */
async function sleeps(t: ExecutionContext, options: ProcessPoolOptions): Promise<void> {
  t.timeout(2 * PATIENCE_MS)
  const program = fileURLToPath(new URL('hosts/idle.mjs', import.meta.url))
  const host = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  })
  try {
    const { value } = await createInterface(host.stdout!)[Symbol.asyncIterator]().next()
    const { pids } = JSON.parse(value as string) as { pids: number[] }
    t.is(pids.length, 3)
    const start = performance.now()
    let [seen, since] = [pids.map(switches), start]
    // Giving memory back and collecting garbage take some seconds, then they are over.
    while (performance.now() - since < QUIET_MS && performance.now() - start < PATIENCE_MS) {
      await sleep(500)
      const now = pids.map(switches)
      if (String(now) !== String(seen)) [seen, since] = [now, performance.now()]
    }
    t.true(performance.now() - since >= QUIET_MS, seen.join('\n'))
    t.log(`quiet after ${Math.round((since - start) / 1000)} s`)
  } finally {
    const ended = new Promise((resolve) => host.once('exit', resolve))
    host.stdio[3]?.destroy()
    host.kill()
    await ended
  }
}

// The kernel's counters are in /proc, which only Linux has.
const testWithProc = hasProc ? test : test.skip

testWithProc('host and workers sleep for ten seconds, once what they have done is tidied up', (t) => sleeps(t, {}))

testWithProc('nobody looks at the memory of idle workers', (t) => sleeps(t, { hardMemoryLimit: 2 ** 30 }))
