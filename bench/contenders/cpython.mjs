// CPython's concurrent.futures.ProcessPoolExecutor, from `python3` or what PYTHON names; cpython.py measures.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const python = process.env.PYTHON ?? 'python3'
const script = fileURLToPath(new URL('cpython.py', import.meta.url))

/** @type {import('./index.mjs').Contender} */
export default {
  title: 'CPython',
  version() {
    const { error, stdout } = spawnSync(python, ['--version'], { encoding: 'utf8' })
    if (error !== undefined) throw new Error(`no ${python} here: ${error.message}`)
    return `${stdout.trim()}, ProcessPoolExecutor`
  },
  command: (plan, cases) => [python, [script, JSON.stringify({ ...plan, cases })]],
}
