// The options of a process pool: their checks, their defaults, and their form for the core.

import { availableParallelism } from 'node:os'
import { isMainThread } from 'node:worker_threads'

import { NestingError } from '../errors/index.js'
import { native, type NativePoolOptions } from '../native/index.js'
import { entryFolder, serverEntry, workerEntry } from '../paths.js'
import { type AgainstForks, chooseStartMethod, IS_A_COPY, NEVER_REPLACED, type StartMethod } from '../start/methods.js'
import { coverageVariable, warnOfForks } from '../start/coverage.js'
import { assertEntries } from '../start/entries.js'
import { endMisrun } from '../start/misrun.js'
import {
  heapOption,
  inheritedExecArgv,
  inheritedNodeOptions,
  optionWithoutScript,
  withoutProfiles,
} from '../start/node-options.js'
import { workerProgram } from '../start/program.js'
import { FORKABLE, serverArgument } from '../start/server/plan.js'
import { workerState } from '../tasks/context.js'
import { depthBeforeEntry, ENTRY_VARIABLE } from '../tasks/entry.js'
import { ownVariable, type Variables } from '../util/variables.js'
import { describeTask, resolveModule, type TaskFunction } from '../tasks/index.js'
import { optionNames, type OwnOptions, ownOptions } from '../util/options.js'
import { invalidType, invalidValue, validateInteger, validateNumber, validateOneOf } from '../util/validate.js'
import type { TaskDescriptor } from '../wire/index.js'

/** What the options of a pool lack unless they have `initargs`: the arguments that the `initializer` needs. */
export type NeededInitargs<I extends unknown[]> = [] extends I ? unknown : { readonly initargs: unknown }

/** Options of a {@link ProcessPoolExecutor}. `I` are the parameters of the `initializer`. */
export interface ProcessPoolOptions<I extends unknown[] = any> {
  /**
   * The most worker processes. They are started when calls need them.
   * Default: the number of processors that this process may use, within the CPU quota of its control group.
   */
  maxWorkers?: number
  /**
   * The start method. Default: `'spawn'` with `maxTasksPerChild`, else `getStartMethod()`.
   *
   * With an explicit `'fork'`, the options `maxTasksPerChild`, `idleTimeout`, `maxMemoryPerWorker`, `execArgv`, `env`,
   * `cwd`, `execPath` and `stdio: 'ignore'` are errors. With `'fork'` from `setStartMethod()`, they mean `'spawn'`.
   */
  startMethod?: StartMethod
  /** A function that is called and awaited once in each worker, before the first call. Its error fails the start. */
  initializer?: TaskFunction<I>
  /** The arguments of `initializer`. */
  initargs?: NoInfer<readonly [...I]>
  /** The number of calls after which a worker is replaced. A chunk of `map` is one call. Default: no limit. */
  maxTasksPerChild?: number
  /**
   * The consequence of a worker's death. `'isolate'`: only the call that the worker ran fails, and the worker is
   * replaced. `'break'`, Python's rule: every unfinished future fails, and the executor takes no more calls. Default:
   * `'isolate'`.
   */
  onWorkerDeath?: 'break' | 'isolate'
  /** Milliseconds without a call after which a worker leaves. Default: `Infinity`. */
  idleTimeout?: number
  /** Milliseconds that the start of a worker may take, `preload` and `initializer` included. Default: 30,000. */
  startTimeout?: number
  /** Bytes of resident memory; a worker with more is replaced between calls. Default: `Infinity`. */
  maxMemoryPerWorker?: number
  /**
   * Bytes of resident memory; a worker that grows beyond them is killed and replaced, in the middle of a call too. That
   * call fails with `TaskMemoryError`, and no other: of a chunk of `map` only the item that ran. Under `'break'` the
   * pool breaks. A worker that is too large when a call would begin is replaced first.
   *
   * What counts is `process.memoryUsage.rss()` of the worker: heap, buffers, native memory, and pages that the worker
   * shares with other processes. Processes that a task starts do not count. The memory is looked at each 50 ms while
   * calls run, so a worker may exceed the limit by what it grows in that time.
   *
   * Workers also get a `--max-old-space-size` that fits the limit, unless `execArgv` or NODE_OPTIONS limit V8's heap.
   * So V8 collects garbage before the limit is reached, and ends a worker whose heap is full. Workers of the start
   * method `'fork'` keep the heap limit of this process, and are not replaced. Default: `Infinity`.
   */
  hardMemoryLimit?: number
  /**
   * The most calls that wait, besides those for which a worker is idle or can still be started: the pool takes
   * `maxWorkers + maxQueue` unfinished calls, and `submit()` throws `QueueFullError` beyond that. With 0 no call waits
   * for another one. Default: `Infinity`.
   */
  maxQueue?: number
  /**
   * Node's own options for the workers. Default: those of this process, without options for debugging and profiling.
   */
  execArgv?: readonly string[]
  /** The complete environment of the workers. Default: that of this process. */
  env?: Readonly<Record<string, string | undefined>>
  /** The working directory of the workers. Default: that of this process. */
  cwd?: string
  /**
   * The Node executable of the workers: a path, or a name to be found in `PATH`. Default: that of this process. Needed
   * where `process.execPath` is no plain Node: in a single executable application, or in Electron.
   */
  execPath?: string
  /** The standard output and error of the workers: those of this process, or none. Default: `'inherit'`. */
  stdio?: 'inherit' | 'ignore'
  /** Modules that each worker loads before the first call. Specifiers resolve from the current working directory. */
  preload?: readonly (string | URL)[]
  /** A name for the pool in messages, and for its workers in process listings. Default: none. */
  name?: string
}

/** The options that executors and `Pool`s have in common. */
export const COMMON_OPTIONS = {
  startMethod: true,
  initializer: true,
  initargs: true,
  startTimeout: true,
  maxMemoryPerWorker: true,
  hardMemoryLimit: true,
  maxQueue: true,
  execArgv: true,
  env: true,
  cwd: true,
  execPath: true,
  stdio: true,
  preload: true,
  name: true,
} as const

export const EXECUTOR_OPTIONS = optionNames<ProcessPoolOptions>('ProcessPoolExecutor', {
  ...COMMON_OPTIONS,
  maxWorkers: true,
  maxTasksPerChild: true,
  onWorkerDeath: true,
  idleTimeout: true,
})

/** Options that are checked and complete. */
export interface ResolvedOptions {
  readonly maxWorkers: number
  readonly onWorkerDeath: 'break' | 'isolate'
  readonly maxQueue: number
  readonly name: string
  readonly preload: string[]
  readonly initializer: TaskDescriptor | undefined
  readonly initargs: readonly unknown[]
  readonly hardMemoryLimit: number
  /** The option of Node that fits the heap of workers to `hardMemoryLimit`. */
  readonly heapOption: string | undefined
  readonly native: NativePoolOptions
}

/** Levels of nested pools. More are most likely a mistake: each level multiplies the processes. */
const MAX_DEPTH = 10

/** Address space of each payload arena. Memory is taken page by page, as payloads need it. */
const ARENA_BYTES = 8 * 2 ** 30

const DEFAULT_SLOTS = 256

/** @throws TypeError or RangeError that names the option; NestingError in a worker that is ten levels deep. */
export function resolveOptions(given?: ProcessPoolOptions): ResolvedOptions {
  const options = ownOptions(given, EXECUTOR_OPTIONS)
  endMisrun()
  assertEntries()
  const depth = (workerState()?.depth ?? depthBeforeEntry()) + 1
  if (depth > MAX_DEPTH) {
    throw new NestingError(
      `Pools are nested ${MAX_DEPTH} levels deep here, which is the limit: ` +
        'does a task module start a pool when it is loaded?',
      { depth },
    )
  }
  const maxWorkers = integer(options.maxWorkers, 'options.maxWorkers', 1, 4096) ?? defaultWorkers()
  const maxTasksPerChild = integer(options.maxTasksPerChild, 'options.maxTasksPerChild', 1, 2 ** 32 - 1)
  const startMethod = chooseStartMethod(
    options.startMethod,
    { name: 'options.maxTasksPerChild', value: maxTasksPerChild, reason: NEVER_REPLACED },
    againstForks(options),
  )
  const onWorkerDeath = oneOf(options.onWorkerDeath, 'options.onWorkerDeath', ['break', 'isolate']) ?? 'isolate'
  const stdio = oneOf(options.stdio, 'options.stdio', ['inherit', 'ignore']) ?? 'inherit'
  const { initializer, initargs = [], env, name = '' } = options
  if (!Array.isArray(initargs)) throw invalidType('options.initargs', 'an array', initargs)
  const cwd = options.cwd === undefined ? undefined : processText(options.cwd, 'options.cwd')
  const preload = stringsOrUrls(options.preload, 'options.preload')
  const maxQueue = limit(options.maxQueue, 'options.maxQueue', 0)
  processText(name, 'options.name')
  const variables = env === undefined ? process.env : ownVariables(env)
  const execPath = programPath(options.execPath)
  const program = startMethod === 'fork' ? process.execPath : workerProgram(execPath, variables)
  const givenOptions = execArguments(options.execArgv) ?? inheritedExecArgv(cwd)
  // After `setStartMethod('forkserver')` a pool may have to spawn its workers, which write profiles.
  const profiled = startMethod !== 'forkserver' || options.startMethod === undefined
  const nodeVariable = inheritedNodeOptions(ownVariable(variables, 'NODE_OPTIONS'), cwd, profiled)
  const hardMemoryLimit = limit(options.hardMemoryLimit, 'options.hardMemoryLimit', 1)
  const heap =
    hardMemoryLimit === undefined || startMethod === 'fork'
      ? undefined
      : heapOption(hardMemoryLimit, givenOptions, ownVariable(variables, 'NODE_OPTIONS'))
  const nodeOptions = heap === undefined ? givenOptions : [heap, ...givenOptions]
  const coverage = coverageVariable(env)
  if (startMethod !== 'spawn') warnOfForks(variables, coverage, startMethod === 'fork' ? process.execArgv : nodeOptions)
  const nameArguments = name === '' ? [] : [name]
  return {
    maxWorkers,
    onWorkerDeath,
    maxQueue: maxQueue ?? Infinity,
    name,
    preload,
    initializer: initializer === undefined ? undefined : describeTask(initializer, 'options.initializer'),
    initargs,
    hardMemoryLimit: hardMemoryLimit ?? Infinity,
    heapOption: heap,
    native: {
      maxWorkers,
      breakOnDeath: onWorkerDeath === 'break',
      program,
      args: [...nodeOptions, workerEntry(), ...nameArguments],
      forkServer:
        startMethod === 'forkserver'
          ? [
              ...withoutProfiles(nodeOptions),
              ...FORKABLE,
              serverEntry(),
              ...nameArguments,
              serverArgument({ preload, depth, workerEntry: workerEntry() }),
            ]
          : undefined,
      ownForks: startMethod === 'fork',
      orSpawn: options.startMethod === undefined,
      // A worker_threads thread has an environment of its own, which the system does not know.
      env: env === undefined && isMainThread ? undefined : flattenEnv(variables),
      setEnv: [
        ENTRY_VARIABLE,
        `${depth}:${entryFolder()}`,
        ...(nodeVariable === undefined ? [] : ['NODE_OPTIONS', nodeVariable]),
        ...coverage,
      ],
      cwd,
      inheritStdio: stdio === 'inherit',
      depth,
      slots: slotsFromEnvironment(),
      arenaBytes: ARENA_BYTES,
      idleTimeout: limit(options.idleTimeout, 'options.idleTimeout', 0, false),
      startTimeout: limit(options.startTimeout, 'options.startTimeout', 1, false) ?? noTimeout(options.startTimeout),
      maxTasksPerChild,
      maxMemory: limit(options.maxMemoryPerWorker, 'options.maxMemoryPerWorker', 1),
      hardMemoryLimit,
      maxQueue,
      keepFull: false,
    },
  }
}

/** The options that forks cannot follow, except the limit of calls a worker: a `Pool` has another name for that one. */
export function againstForks(options: OwnOptions<ProcessPoolOptions>): AgainstForks[] {
  const { idleTimeout, maxMemoryPerWorker, execArgv, env, cwd, execPath, stdio } = options
  return [
    { name: 'options.idleTimeout', value: unlessInfinite(idleTimeout), reason: NEVER_REPLACED },
    { name: 'options.maxMemoryPerWorker', value: unlessInfinite(maxMemoryPerWorker), reason: NEVER_REPLACED },
    { name: 'options.execArgv', value: execArgv, reason: IS_A_COPY },
    { name: 'options.env', value: env, reason: IS_A_COPY },
    { name: 'options.cwd', value: cwd, reason: IS_A_COPY },
    { name: 'options.execPath', value: execPath, reason: IS_A_COPY },
    { name: 'options.stdio', value: stdio === 'inherit' ? undefined : stdio, reason: IS_A_COPY },
  ]
}

function unlessInfinite(value: unknown): unknown {
  return value === Infinity ? undefined : value
}

function noTimeout(given: number | undefined): number {
  return given === Infinity ? Number.MAX_SAFE_INTEGER : 30_000
}

function defaultWorkers(): number {
  const quota = native.cpuQuota()
  const processors = availableParallelism()
  return quota === null ? processors : Math.max(1, Math.min(processors, Math.ceil(quota)))
}

/** A whole number from `minimum` to `maximum`; undefined for an absent option. */
function integer(value: unknown, name: string, minimum: number, maximum: number): number | undefined {
  if (value === undefined) return undefined
  validateInteger(value, name, minimum, maximum)
  return value
}

/** A number of at least `minimum`; undefined for `Infinity` and for an absent option. */
function limit(value: unknown, name: string, minimum: number, whole = true): number | undefined {
  if (value === undefined || value === Infinity) return undefined
  if (whole) validateInteger(value, name, minimum, Number.MAX_SAFE_INTEGER)
  else validateNumber(value, name, minimum)
  return value as number
}

function oneOf<T extends string>(value: unknown, name: string, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined
  validateOneOf(value, name, allowed)
  return value
}

function stringsOrUrls(value: unknown, name: string): string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw invalidType(name, 'an array of specifiers or URLs', value)
  return value.map((item: string | URL, index) => resolveModule(item, `${name}[${index}]`))
}

function execArguments(value: unknown): string[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw invalidType('options.execArgv', 'an array of strings', value)
  const given = value.map((item, index) => processText(item, `options.execArgv[${index}]`))
  const wrong = optionWithoutScript(given)
  if (wrong === undefined) return given
  throw invalidValue('options.execArgv', `free of ${wrong}, with which Node does not run a worker's script`, value)
}

function programPath(value: unknown): string | undefined {
  if (value === undefined) return undefined
  const path = processText(value, 'options.execPath')
  if (path === '') throw invalidValue('options.execPath', 'the path of a Node executable', value)
  return path
}

/** A string that the system can take: a null byte would be its end. */
function processText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw invalidType(name, 'a string', value)
  if (value.includes('\0')) throw invalidValue(name, 'free of null bytes', value)
  return value
}

/** The variables in the option `env`: its own enumerable properties, without those that are undefined. */
function ownVariables(env: unknown): Variables {
  if (env === null || typeof env !== 'object') throw invalidType('options.env', 'an object', env)
  const own = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) continue
    own[name] = String(value)
    if (`${name}${own[name]}`.includes('\0')) throw invalidValue('options.env', 'free of null bytes', '\\0')
  }
  return own
}

function flattenEnv(variables: Variables): string[] {
  return Object.entries(variables).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))
}

/** The number of call slots. `MILLRACE_RING_SLOTS` makes small rings, for tests. */
function slotsFromEnvironment(): number {
  const text = process.env.MILLRACE_RING_SLOTS
  if (text === undefined || text === '') return DEFAULT_SLOTS
  const slots = Number(text)
  if (!Number.isInteger(slots) || slots < 2 || slots > 4096 || (slots & (slots - 1)) !== 0) {
    throw invalidValue('MILLRACE_RING_SLOTS', 'a power of two from 2 to 4096', text)
  }
  return slots
}
