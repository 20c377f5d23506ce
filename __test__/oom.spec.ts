// A worker that the kernel kills for lack of memory, in a control group that has little.

import { existsSync } from 'node:fs'
import { runHost } from './helpers/hosts.js'
import { test } from './helpers/leaks.js'
import { memoryGroup } from './helpers/memory-group.js'

const LIMIT = 400 << 20

test('a death for want of memory says so, and another SIGKILL does not', async (t) => {
  const group = existsSync('/proc/self/cgroup') ? memoryGroup(t, LIMIT) : undefined
  if (group === undefined) {
    t.log('SKIPPED: no control group can be made here')
    t.pass()
    return
  }
  const said = await runHost<{ signal: string; hint: string }[]>(t, 'oom', { group, bytes: 2 * LIMIT })
  t.deepEqual(
    said.map(({ signal }) => signal),
    ['SIGKILL', 'SIGKILL'],
  )
  t.regex(said[0]!.hint, /out-of-memory killer has killed .*maxMemoryPerWorker/)
  t.regex(said[1]!.hint, /no out-of-memory kill/)
})
