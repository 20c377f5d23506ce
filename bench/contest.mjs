// Runs one contender for one round: a process of its own measures one case after the other. When a case fails, or the
// process dies or hangs, another process goes on with the next case.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const host = fileURLToPath(new URL('host.mjs', import.meta.url))

/** @typedef {{ case: string, figures?: Record<string, number>, failed?: string }} Line */

/** Process groups to be killed with this process. @type {Set<number>} */
const running = new Set()

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.once(signal, () => {
    for (const pid of running) kill(pid)
    process.kill(process.pid, signal)
  })
}

/** @param {number} pid - The leader of a group: workers that are processes die with it. */
function kill(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended.
  }
}

/**
 * @param {string} name
 * @param {import('./contenders/index.mjs').Contender} contender
 * @param {import('./measure.mjs').Plan} plan
 * @param {string[]} cases
 * @param {number} limit - Milliseconds for each case.
 * @returns {Promise<Line[]>} One for each case.
 */
export async function compete(name, contender, plan, cases, limit) {
  /** @type {Line[]} */
  const lines = []
  while (lines.length < cases.length) {
    const left = cases.slice(lines.length)
    const command = contender.command?.(plan, left) ?? [
      process.execPath,
      [host, name, JSON.stringify({ ...plan, cases: left })],
    ]
    lines.push(...(await attempt(command, left, limit)))
  }
  return lines
}

/**
 * @param {[program: string, args: string[]]} command
 * @param {string[]} cases
 * @param {number} limit
 * @returns {Promise<Line[]>} At least one: all answers, and the case that failed.
 */
function attempt([program, args], cases, limit) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const pid = child.pid ?? 0
    if (pid > 0) running.add(pid)
    /** @type {Line[]} */
    const lines = []
    let complaint = ''
    let hangs = false
    const watch = setTimeout(() => {
      hangs = true
      kill(pid)
    }, limit)
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaint = (complaint + text).slice(-2000)
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      watch.refresh()
      // Workers may write to the same standard output.
      if (line.startsWith('{"case"')) lines.push(JSON.parse(line))
      else complaint += `${line}\n`
    })
    child.on('error', (error) => {
      complaint += error.message
    })
    child.on('close', (code, signal) => {
      clearTimeout(watch)
      running.delete(pid)
      // No process that is left running may disturb the next contender.
      if (pid > 0) kill(pid)
      const isTold = lines.at(-1)?.failed !== undefined
      if (code !== 0 && !isTold) {
        const why = hangs ? `nothing for ${limit / 1000} s` : `it ended with ${signal ?? `exit code ${code}`}`
        const failed = [why, complaint.trim()].filter(Boolean).join(': ')
        // A process that answers everything and then does not end has failed in the last case.
        const last = lines.length === cases.length ? lines.pop() : undefined
        lines.push({ case: last?.case ?? cases[lines.length] ?? '', figures: last?.figures, failed })
      } else if (lines.length < cases.length && !isTold) {
        lines.push({ case: cases[lines.length] ?? '', failed: 'it ended without an answer' })
      }
      resolve(lines)
    })
  })
}
