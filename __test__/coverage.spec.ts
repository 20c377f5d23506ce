// What NODE_V8_COVERAGE asks of workers: written, or one warning.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { getAllStartMethods } from 'millrace'
import { makeFolder, run } from './helpers/programs.js'

/** Runs a pool under NODE_V8_COVERAGE. Returns the warnings, and whether the worker has written coverage. */
async function measure(t: ExecutionContext, options: string) {
  const cwd = makeFolder(t, {
    'main.mjs': `import { ProcessPoolExecutor } from 'millrace'
const warnings = []
process.on('warning', ({ message }) => warnings.push(message))
const use = async () => {
  const pool = new ProcessPoolExecutor({ maxWorkers: 1, ${options} })
  const pid = await pool.submit(() => process.pid)
  await pool.shutdown()
  return pid
}
const pids = [await use(), await use()]
console.log(JSON.stringify({ pids, warnings: warnings.filter((text) => text.includes('NODE_V8_COVERAGE')) }))`,
  })
  const { out, errors } = await run(process.execPath, ['main.mjs'], { cwd, env: { NODE_V8_COVERAGE: 'coverage' } })
  const { pids, warnings } = JSON.parse(out || '{}') as { pids: number[]; warnings: string[] }
  const files = readdirSync(join(cwd, 'coverage'))
  const isWritten = pids.map((pid) => files.some((file) => file.startsWith(`coverage-${pid}-`)))
  return { isWritten, warnings, errors }
}

for (const [env, isWritten] of [
  ['', true],
  ['env: { PATH: process.env.PATH }', true],
  ["env: { NODE_V8_COVERAGE: '' }", false],
] as const) {
  test(`spawned workers write coverage unless env says otherwise: ${env || 'no env'}`, async (t) => {
    const found = await measure(t, `startMethod: 'spawn', ${env}`)
    t.deepEqual([found.isWritten, found.warnings], [[isWritten, isWritten], []], found.errors)
  })
}

if (getAllStartMethods().includes('forkserver')) {
  test('one warning says that workers of a fork server write neither coverage nor profiles', async (t) => {
    for (const env of ['', 'env: { PATH: process.env.PATH }']) {
      const { warnings, errors } = await measure(t, `startMethod: 'forkserver', ${env}`)
      t.is(warnings.length, 1, errors)
    }
    const profile = await run(process.execPath, ['main.mjs'], {
      cwd: makeFolder(t, {
        'main.mjs': `import { ProcessPoolExecutor } from 'millrace'
process.on('warning', ({ message }) => console.log(message))
const pool = new ProcessPoolExecutor({ startMethod: 'forkserver', execArgv: ['--heap-prof', '--heap-prof-interval=9'] })
new ProcessPoolExecutor({ startMethod: 'forkserver', execArgv: ['--heap_prof'] })`,
      }),
    })
    t.is(profile.out, "--heap-prof is set, and forked workers write no profile. Use startMethod: 'spawn' for that")
    const off = await measure(t, "startMethod: 'forkserver', env: { NODE_V8_COVERAGE: '' }")
    t.is(off.warnings.length, 0)
  })
}
