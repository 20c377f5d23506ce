// The contenders that are CPython's two pools. The program is `python3`, or the one that PYTHON names; cpython.py
// measures.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { NotHere } from './index.mjs'

const python = process.env.PYTHON ?? 'python3'
const script = fileURLToPath(new URL('cpython.py', import.meta.url))

/**
 * @param {string} pool
 * @param {string} title
 * @returns {import('./index.mjs').Contender}
 */
const contender = (pool, title) => ({
  version() {
    const { status, stdout } = spawnSync(python, ['--version'], { encoding: 'utf8' })
    if (status !== 0) throw new NotHere(`there is no ${python}`)
    return `${stdout.trim()}, ${title}`
  },
  command: (plan, cases) => [python, [script, pool, JSON.stringify({ ...plan, cases })]],
})

export const executor = contender('executor', 'concurrent.futures.ProcessPoolExecutor')
export const pool = contender('pool', 'multiprocessing.Pool')
