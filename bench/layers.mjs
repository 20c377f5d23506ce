// The benchmarks of the layers below whole pools: each is a program of its own that prints its own tables.

import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { NotHere } from './contenders/index.mjs'
import { versionOf } from './contenders/installed.mjs'

const top = fileURLToPath(new URL('..', import.meta.url))
const starts = fileURLToPath(new URL('starts.mjs', import.meta.url))
const codec = fileURLToPath(new URL('codec.mjs', import.meta.url))

/**
 * @typedef {object} Layer
 * @property {string} title
 * @property {() => string | undefined} missing - Why the layer cannot be measured here; undefined if it can.
 * @property {(smoke: boolean) => [program: string, args: string[]]} command
 */

/** @typedef {{ output: string, failed?: string, skipped?: string }} LayerOutcome */

const noCargo = () => (spawnSync('cargo', ['--version']).status === 0 ? undefined : 'there is no cargo')

/**
 * Why a package of bench/ cannot be used; undefined if it can.
 *
 * @param {string} name
 */
function lacking(name) {
  try {
    versionOf(name)
    return undefined
  } catch (error) {
    if (error instanceof NotHere) return error.message
    throw error
  }
}

/**
 * @param {string} crate
 * @param {string} bench
 * @param {boolean} smoke
 * @returns {[string, string[]]}
 */
const cargoBench = (crate, bench, smoke) => [
  'cargo',
  // A smoke run builds for tests, which takes much less time than an optimized build.
  smoke ? ['test', '--quiet', '-p', crate, '--bench', bench] : ['bench', '--quiet', '-p', crate, '--bench', bench],
]

/** @type {Record<string, Layer>} */
export const layers = {
  ring: {
    title: 'Ring: both ends in one thread, in heap memory',
    missing: noCargo,
    command: (smoke) => cargoBench('millrace-ring', 'ring', smoke),
  },
  'round-trip': {
    title: 'Round trip: two processes, without Node',
    missing: noCargo,
    command: (smoke) => cargoBench('millrace-pool', 'round_trip', smoke),
  },
  starts: {
    title: 'Start methods',
    missing: () => (process.platform === 'linux' ? lacking('typescript') : 'fork servers are for Linux'),
    command: (smoke) => [process.execPath, [starts, ...(smoke ? ['--smoke'] : [])]],
  },
  codec: {
    title: 'Codec',
    missing: () => lacking('@msgpack/msgpack'),
    command: (smoke) => [process.execPath, [codec, ...(smoke ? ['--smoke'] : [])]],
  },
}

/**
 * Runs a layer and prints its output at once.
 *
 * @param {Layer} layer
 * @param {boolean} smoke
 * @returns {Promise<LayerOutcome>}
 */
export function runLayer({ missing, command }, smoke) {
  const skipped = missing()
  if (skipped !== undefined) return Promise.resolve({ output: '', skipped })
  const [program, args] = command(smoke)
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: top, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text
      process.stdout.write(text)
    })
    child.on('error', (error) => resolve({ output, failed: error.message }))
    child.on('close', (code, signal) => {
      resolve(code === 0 ? { output } : { output, failed: `it ended with ${signal ?? `exit code ${code}`}` })
    })
  })
}
