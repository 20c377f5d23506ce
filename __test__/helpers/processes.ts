// The process table, as the operating system shows it: what the pool itself says of its workers is not believed here.

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Whether there is a /proc to look at: what only that shows is not checked elsewhere. */
export const hasProc = existsSync('/proc/self/stat')

export interface ProcessInfo {
  pid: number
  parent: number
  group: number
  /** One letter: R, S, D, T, Z… */
  state: string
  name: string
}

/** All processes that this user may see. */
export function processTable(): ProcessInfo[] {
  return hasProc ? readProc() : runPs()
}

function readProc(): ProcessInfo[] {
  const table: ProcessInfo[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
      // The name stands in parentheses and may contain any character.
      const [state = '?', parent, group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
      table.push({ pid: Number(entry), parent: Number(parent), group: Number(group), state, name })
    } catch {
      // It ended meanwhile.
    }
  }
  return table
}

function runPs(): ProcessInfo[] {
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
export function childrenOf(pid: number = process.pid): ProcessInfo[] {
  return processTable().filter(({ parent }) => parent === pid)
}

/** The workers of a process, zombies included: its children, those of its fork servers in their place. */
export function workersOf(pid: number = process.pid): ProcessInfo[] {
  const table = processTable()
  const children = table.filter(({ parent }) => parent === pid)
  return children.flatMap((child) =>
    isForkServer(child.pid) ? table.filter(({ parent }) => parent === child.pid) : [child],
  )
}

/** Of a child of a host's: a server's own children look the same. */
function isForkServer(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('millrace-server:')
  } catch {
    return false
  }
}

/** Whether there is such a process, and it is more than a zombie. */
export function isAlive(pid: number): boolean {
  return processTable().some((info) => info.pid === pid && info.state !== 'Z')
}
