// Programs of root's that change their user or groups while a pool has workers.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startHost } from './helpers/hosts.js'
import { test } from './helpers/leaks.js'
import { startMethod } from './helpers/start-method.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))

/** Whether this process may become another user, and that user may run Node and read this checkout. */
function canChangeUser(): boolean {
  if (process.getuid?.() !== 0) return false
  const script = `require('fs').readdirSync(${JSON.stringify(here)})`
  return spawnSync(process.execPath, ['-e', script], { uid: 65534, gid: 65534 }).status === 0
}

interface Told {
  outcomes: unknown[]
  warnings: string[]
}

// Only root may become another user.
const changing = canChangeUser() ? test : test.skip
const methods = startMethod === undefined && process.platform === 'linux' ? ['spawn', 'forkserver'] : [startMethod]

for (const method of methods) {
  for (const change of ['user', 'effective', 'groups'] as const) {
    changing(`workers of a program that changes its ${change} end, and the next are its own (${method})`, async (t) => {
      const host = startHost(t, 'other-user', { change, method })
      const { outcomes, warnings } = await host.line<Told>()
      t.deepEqual(
        outcomes,
        ['TaskTimeoutError', true, 'TaskTimeoutError', true, 'WorkerTerminatedError', 1],
        host.errors,
      )
      // A worker may be signalled while one of the two users is the same. A refused signal is told of once.
      t.is(warnings.length, change === 'user' ? 1 : 0, warnings.join('\n'))
      for (const warning of warnings) t.regex(warning, /does not let this process signal worker \d+ \(EPERM\)/)
      t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
      await host.vanished()
    })
  }
}
