// The threads of this process: which ones Node and Millrace start themselves, and what may have started the others.

import { builtin } from '../util/builtins.js'
import { type NodeOption, nodeOptions } from './node-options.js'

export interface Thread {
  readonly id: number
  readonly name: string
  readonly computes: boolean
}

export function threadsOfProcess(): Thread[] {
  const { readdirSync, readFileSync } = builtin('node:fs')
  return readdirSync('/proc/self/task').map((id) => {
    try {
      // For example `12 (node) S …`. A name may have parentheses and blanks.
      const stat = readFileSync(`/proc/self/task/${id}/stat`, 'latin1')
      const end = stat.lastIndexOf(')')
      return { id: Number(id), name: stat.slice(stat.indexOf('(') + 1, end), computes: /^[RD]$/.test(stat[end + 2]!) }
    } catch {
      return { id: Number(id), name: '', computes: false } // It has ended meanwhile.
    }
  })
}

/** The names of our own threads, as the system cuts them. */
export const RELIEF = 'millrace-relief'
export const WATCHDOG = 'millrace-watchd'
export const REAPER = 'millrace-reaper'

/** The main thread, and the timer of V8's pool, which sleeps. */
const OWN_THREADS = 2

/** The name of the thread that listens for the signal of a debugger, and sleeps. */
const DEBUG_SIGNAL = 'SignalInspector'

/**
 * The number of other threads: neither the above, nor V8's pool, nor libuv's, which a fork makes anew.
 *
 * @param v8Threads - The size of V8's pool.
 */
export function unknownThreads(threads: readonly Thread[], v8Threads: number): number {
  const own = OWN_THREADS + (listensForDebugger(threads) ? 1 : 0)
  const others = Math.max(0, threads.length - own - Math.max(v8Threads, 1))
  // Newer lines of Node name their threads. Without names, libuv's threads are known by their number: all start at
  // once.
  const named = threads.filter(({ name }) => name === 'libuv-worker').length
  const libuvs = named > 0 || others < libuvThreads() ? named : libuvThreads()
  return Math.max(0, others - libuvs)
}

/** Whether Node has a thread that waits for the signal of a debugger. Under the permission model it has none. */
function listensForDebugger(threads: readonly Thread[]): boolean {
  if (threads.some(({ name }) => name === DEBUG_SIGNAL)) return true
  const { permission } = process as { permission?: unknown }
  if (permission !== undefined || !process.features.inspector) return false
  // Lines of Node that name their threads name this one as well.
  return !hasNames(threads) && !nodeOptions().some(({ name }) => name === '--disable-sigusr1')
}

/** Whether this Node names all of its threads. */
function hasNames(threads: readonly Thread[]): boolean {
  return threads.some(({ name }) => name.endsWith('V8Worker'))
}

/** The size of libuv's thread pool, read as libuv reads it. */
function libuvThreads(): number {
  const size = Number.parseInt(process.env.UV_THREADPOOL_SIZE ?? '4', 10)
  return Math.min(Math.max(Number.isNaN(size) ? 1 : size, 1), 1024)
}

/** An option of Node with which it starts a thread. */
interface Cause {
  readonly option: RegExp
  /** The thread's name, on lines of Node that name their threads. */
  readonly thread: RegExp
  /** What to say of the options as they were given. */
  readonly text: (given: string) => string
}

const CAUSES: readonly Cause[] = [
  {
    option: /^--(?:import|(?:experimental-)?loader)$/,
    thread: /^WorkerThread$/,
    text: (given) =>
      process.versions.pnp === undefined
        ? `Node runs the hooks of a module loader in a thread, here probably those of ${given}. Compile the modules ` +
          'before, use a loader with hooks in the main thread (module.registerHooks), or give the pool execArgv ' +
          'without the loader'
        : "Node runs the module loader of yarn's Plug'n'Play in a thread. Install with nodeLinker: node-modules",
  },
  {
    option: /^--cpu-prof$/,
    thread: /^v8:ProfEvntProc$/,
    text: (given) => `${given} has one`,
  },
  {
    option: /^--(?:trace-event-categories|trace-events-enabled)$/,
    thread: /^TraceEventWorke/,
    text: (given) => `${given} has one. Give the pool execArgv without that option`,
  },
  {
    option: /^--inspect/,
    thread: /^InspectorIo$/,
    text: (given) => `${given} has one. Give the pool execArgv and env without that option`,
  },
]

/** What has probably started the unknown threads, as the end of a sentence; empty if nothing is known. */
export function causeOfThreads(threads: readonly Thread[]): string {
  const options = nodeOptions()
  const isNamed = hasNames(threads)
  const texts = CAUSES.flatMap(({ option, thread, text }) => {
    if (isNamed && !threads.some(({ name }) => thread.test(name))) return []
    const given = options.filter(({ name }) => option.test(name)).map(textOf)
    return given.length === 0 ? [] : [text(given.join(', '))]
  })
  return texts.length === 0 ? '' : `: ${texts.join('; ')}`
}

function textOf({ name, value }: NodeOption): string {
  return value === undefined ? name : `${name} ${value}`
}
