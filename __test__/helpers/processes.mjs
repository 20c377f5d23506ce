// The process table of the operating system: tests do not rely on what a pool says of its own workers.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Whether there is a /proc to look at. Checks that need /proc are left out elsewhere. */
export const hasProc = existsSync('/proc/self/stat')

/**
 * @typedef {object} ProcessInfo
 * @property {number} pid
 * @property {number} parent
 * @property {number} group
 * @property {string} state - One letter: R, S, D, T, Z…
 * @property {string} name
 */

/** All processes that this user may see. */
export function processTable() {
  return hasProc ? readProc() : runPs()
}

function readProc() {
  /** @type {ProcessInfo[]} */
  const table = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
      // The name is in parentheses and may contain any character.
      const [state = '?', parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
      table.push({ pid: Number(entry), parent: Number(parent), group: Number(group), state, name })
    } catch {
      // The process has ended meanwhile.
    }
  }
  return table
}

/** @returns {ProcessInfo[]} */
function runPs() {
  const text = execFileSync('ps', ['-axo', 'pid=,ppid=,pgid=,stat=,comm='], { encoding: 'utf8' })
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([pid, , , , name]) => pid !== '' && name !== 'ps' && name !== '(ps)')
    .map(([pid, parent, group, state = '?', ...name]) => ({
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      state: state.charAt(0),
      name: name.join(' '),
    }))
}

/** The children of a process, zombies included. */
export function childrenOf(pid = process.pid) {
  return processTable().filter(({ parent }) => parent === pid)
}

/**
 * The workers of a process: its children, zombies included. Under 'forkserver' the living children of its servers.
 */
export function workersOf(pid = process.pid) {
  const table = processTable()
  const children = table.filter(({ parent }) => parent === pid)
  return children.flatMap((child) =>
    isForkServer(child.pid) ? table.filter(({ parent, state }) => parent === child.pid && state !== 'Z') : [child],
  )
}

/**
 * Whether a child of a host is a fork server. A server's own children look the same.
 *
 * @param {number} pid
 */
function isForkServer(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('millrace-server:')
  } catch {
    return false
  }
}

/**
 * Whether a process exists and is no zombie.
 *
 * @param {number} pid
 */
export function isAlive(pid) {
  return processTable().some((info) => info.pid === pid && info.state !== 'Z')
}
