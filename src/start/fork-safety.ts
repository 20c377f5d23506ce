// Whether this process can be forked: a fork has the memory of all threads, but only the thread that forked.

import { availableParallelism } from 'node:os'
import { isMainThread } from 'node:worker_threads'

import { ForkUnsafeError } from '../errors/index.js'
import { native } from '../native/index.js'
import { builtin } from '../util/builtins.js'
import { outwardDescriptors } from './open-descriptors.js'
import { causeOfThreads, REAPER, RELIEF, threadsOfProcess, unknownThreads, WATCHDOG } from './threads.js'

/** The result of {@link forkSafety}. */
export interface ForkSafety {
  safe: boolean
  /** Why the process cannot be forked safely, one sentence each; empty when it can. */
  reasons: string[]
}

/**
 * Tells whether this process can be forked safely, which the start method `'fork'` requires.
 *
 * An ordinary Node process never can: it computes with several threads, and a child without these threads waits for
 * them for ever. The check also finds open files, sockets and work in progress. It cannot find a lock that native code
 * holds, or an unref'd timer, which goes off in each fork.
 */
export function forkSafety(): ForkSafety {
  const reasons = reasonsAgainst()
  return { safe: reasons.length === 0, reasons }
}

/** The number of event loop turns in which pools will fork. The immediates that wait for these turns are no reason. */
export const awaitedTurns = { count: 0 }

/** Kinds of resources that a program uses while it is loaded, and that end by themselves a moment later. */
const PASSING = ['CloseReq', 'FSReqCallback', 'FSReqPromise', 'Immediate']

/**
 * Checks that this process can be forked in a later turn. The process is checked again in that turn, so work that will
 * be over by then is no reason here.
 *
 * @throws ForkUnsafeError with all reasons, if there is one.
 */
export function assertForkSafe(): void {
  const reasons = reasonsAgainst({ passing: PASSING })
  if (reasons.length === 0) return
  throw new ForkUnsafeError(unforkableText('This process', reasons, "Use the start method 'spawn'"), { reasons })
}

/** The message for the user of a process, or of a fork server, that cannot be forked. */
export function unforkableText(which: string, reasons: readonly string[], advice: string): string {
  return `${which} cannot be forked safely. ${advice}.${reasons.map((reason) => `\n  - ${reason}`).join('')}`
}

const NOT_HERE = 'a Node process can be forked on Linux only'

/** Exceptions: findings that are no reasons. */
interface Allowance {
  /** Kinds of resources. When there are any, a thread that computes is no reason either. */
  passing?: readonly string[]
  /** Descriptors that a fork closes. */
  descriptors?: readonly number[]
}

/** Why this process cannot be forked, one sentence each. */
export function reasonsAgainst({ passing = [], descriptors = [] }: Allowance = {}): string[] {
  if (process.platform !== 'linux') return [NOT_HERE]
  const reasons: string[] = []
  if (!isMainThread) reasons.push('this is a worker_threads thread: its fork would lack the main thread')
  const { missing, poolSize } = v8Options()
  if (missing.length > 0) {
    reasons.push(
      `V8 computes with threads of its own, which a fork would lack: start this process by node ${missing.join(' ')}`,
    )
  }
  const threads = threadsOfProcess()
  const relief = threads.filter(({ name }) => name === RELIEF)
  const watchdogs = threads.filter(({ name }) => name === WATCHDOG)
  // This thread waits for processes that old workers have left behind. A fork neither has nor needs it.
  const reapers = threads.filter(({ name }) => name === REAPER)
  const hasPool = relief.length > 0 || native.busyPools() > 0
  if (hasPool) {
    reasons.push(
      'a pool of this process has started its workers and its thread: fork the workers of the first one only',
    )
  }
  if (watchdogs.length > 0) reasons.push('this is a worker itself, with a thread that looks for the end of its host')
  const unknown = unknownThreads(threads, poolSize) - relief.length - watchdogs.length - reapers.length
  if (unknown > 0) reasons.push(`there ${countOf(unknown)} here beyond Node's own${causeOfThreads(threads)}`)
  // Forks of one process have the random numbers of their parent, unless each puts a generator of its own in place.
  if (Object.isFrozen(Math)) reasons.push('Math is frozen (--frozen-intrinsics): all forks would draw the same numbers')
  // Node does not list all work of its thread pool. Other threads that compute are a reason already.
  const busy =
    missing.length > 0 || unknown > 0 || passing.length > 0
      ? []
      : threads.filter(({ id, computes }) => computes && id !== process.pid)
  if (busy.length > 0) {
    const names = [...new Set(busy.map(({ name }) => name))].join(', ')
    reasons.push(`there ${countOf(busy.length)} computing at this moment: ${names}`)
  }
  if (builtin('node:inspector').url() !== undefined)
    reasons.push('a debugger may be attached: its connection has a thread of its own')
  if (process.connected) reasons.push('an IPC channel leads to the parent process: the fork would use it, too')
  const lent = native.lentBuffers()
  if (lent > 0) reasons.push(`${lent} ArrayBuffers lie in memory that is shared with workers, and that a fork lacks`)
  const active = activeResources()
  const lasting = active.filter(({ kind }) => !passing.includes(kind))
  if (lasting.length > 0) {
    const list = lasting.map(({ kind, count }) => `${count} ${kind}`)
    reasons.push(`work is in progress, whose end this process and its fork would both see: ${list.join(', ')}`)
  }
  // A pool's descriptors are a reason already, and those of passing work will pass with it.
  const isOwn = hasPool || watchdogs.length > 0 || lasting.length < active.length
  const open = isOwn ? [] : outwardDescriptors(descriptors)
  if (open.length > 0) reasons.push(`descriptors are open that a fork would share: ${shortened(open)}`)
  return reasons
}

const MOST_LISTED = 10

function shortened(list: readonly string[]): string {
  const rest = list.length - MOST_LISTED
  return list.slice(0, MOST_LISTED).join(', ') + (rest > 0 ? ` and ${rest} others` : '')
}

const SINGLE_THREADED = /^--single[-_]threaded$/
const POOL_SIZE = /^--v8[-_]pool[-_]size(?:=(.*))?$/
const DEFAULT_POOL_SIZE = 4

/** The options that make V8 work without threads and that this process lacks; and the number of V8's threads. */
function v8Options(): { missing: string[]; poolSize: number } {
  const given = [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv]
  const missing: string[] = []
  if (!given.some((option) => SINGLE_THREADED.test(option))) missing.push('--single-threaded')
  const at = given.findLastIndex((option) => POOL_SIZE.test(option))
  const size = at < 0 ? undefined : (POOL_SIZE.exec(given[at]!)![1] ?? given[at + 1])
  if (size !== '1') missing.push('--v8-pool-size=1')
  return { missing, poolSize: size === undefined ? DEFAULT_POOL_SIZE : Number(size) || availableParallelism() - 1 }
}

function countOf(threads: number): string {
  return threads === 1 ? 'is 1 thread' : `are ${threads} threads`
}

interface Resources {
  readonly kind: string
  readonly count: number
}

/** The active resources by their kinds, for example 2 of the kind `Timeout`. */
function activeResources(): Resources[] {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const discount = (kind: string, by: number): unknown => counts.set(kind, (counts.get(kind) ?? 0) - by)
  // This process shares its output streams with its parent anyway. Node lists those that are not files.
  const outputs = [process.stdout, process.stderr]
  discount('TTYWrap', outputs.filter(({ isTTY }) => isTTY).length)
  discount('PipeWrap', outputs.filter((stream) => stream instanceof builtin('node:net').Socket && !stream.isTTY).length)
  discount('Immediate', awaitedTurns.count)
  return [...counts].filter(([, count]) => count > 0).map(([kind, count]) => ({ kind, count }))
}
