// A program that is the first process of a container, without an init: orphans of its workers become its children.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from './helpers/leaks.js'
import { startMethod } from './helpers/start-method.mjs'

/** Makes a program the first process of its PID namespace, with a `/proc` of that. As root, or as root of its own. */
const unshare = [[], ['--map-root-user']]
  .map((as) => [...as, '--pid', '--fork', '--kill-child', '--mount-proc'])
  .find((options) => spawnSync('unshare', [...options, 'true']).status === 0)

// Only root, or a kernel that gives users namespaces of their own, can make a first process.
const isolated = unshare === undefined ? test.skip : test
const methods = startMethod === undefined ? ['spawn', 'forkserver'] : [startMethod]
const program = fileURLToPath(new URL('hosts/first-process.mjs', import.meta.url))

for (const method of methods) {
  for (const how of ['timeout', 'death', 'exit', 'shutdown'] as const) {
    isolated(`process 1 has no zombies after workers with processes have ended by ${how} (${method})`, (t) => {
      const command = [...unshare!, process.execPath, program, JSON.stringify({ how, method })]
      // `unshare` ignores SIGTERM while it waits for the program.
      const limit = { timeout: 60_000, killSignal: 'SIGKILL' } as const
      const { stdout, stderr, status } = spawnSync('unshare', command, { encoding: 'utf8', ...limit })
      t.is(status, 0, stdout + stderr)
      // The program ends only when it has no children, and its own processes have kept their exit codes.
      t.deepEqual(JSON.parse(stdout), { pid: 1, started: true, wrong: [] })
    })
  }
}
