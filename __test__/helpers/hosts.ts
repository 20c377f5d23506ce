// Host programs: the small programs in ../hosts. Each is started as a process of its own, so that it can end in every
// possible way. A test reads the program's words, one line of JSON at a time, and looks from outside at what is left.
//
// Every process that a program starts, directly or not, has a mark in its environment. So it is found however it was
// started, and whoever became its parent when the program was gone.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { processTable } from './processes.mjs'
import { startMethod } from './start-method.mjs'
import { WATCHDOG_MS, within } from './waiting.js'

const MARK = 'MILLRACE_TEST_MARK'

export interface HostOptions {
  /** Variables in addition to this process's own environment. */
  env?: Record<string, string>
  /** Options for Node. */
  execArgv?: string[]
  /** In a process group of its own, as a shell starts a job. */
  ownGroup?: boolean
  /** Without the descriptors that the process of the tests has left open. */
  onlyStdio?: boolean
  /** The most descriptors that the program may have open. */
  descriptors?: number
  /** The most kilobytes that a file of the program may have. */
  fileKilobytes?: number
}

/** Closes all descriptors but 0, 1 and 2, before it becomes the program that its arguments name. */
const ONLY_STDIO = 'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -lt 3 ] || eval "exec $fd>&-"; done; exec "$@"'

/**
 * For a program that can be forked: V8 works on the main thread, and no descriptors of the parent's are open but the
 * usual ones.
 */
export const forkable: HostOptions = { execArgv: ['--single-threaded', '--v8-pool-size=1'], onlyStdio: true }

/** The end of a program. */
export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
}

/**
 * The number of processes of a program with so many workers and pools. Under 'forkserver' each pool also has a server.
 */
export function processCount(workers: number, pools = 1): number {
  return 1 + workers + (startMethod === 'forkserver' ? pools : 0)
}

/** Starts the program `../hosts/NAME.mjs` with `input` as JSON in its first argument. */
export function startHost(t: ExecutionContext, name: string, input: unknown = {}, options: HostOptions = {}): Host {
  const host = new Host(name, input, options)
  t.teardown(() => host.killAll())
  return host
}

/** Runs a program that says one thing and ends by itself with code 0. Returns that. All its processes are gone then. */
export async function runHost<T>(
  t: ExecutionContext,
  name: string,
  input?: unknown,
  options?: HostOptions,
): Promise<T> {
  const host = startHost(t, name, input, options)
  const said = await host.line<T>()
  t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
  await host.vanished()
  return said
}

export class Host {
  readonly pid: number
  /** The program's and its workers' standard error. */
  errors = ''
  readonly #name: string
  readonly #mark = randomUUID()
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #ended: Promise<Ending>
  #endedAt = 0

  constructor(name: string, input: unknown, options: HostOptions) {
    const { env = {}, execArgv = [], ownGroup = false, onlyStdio = false, descriptors, fileKilobytes } = options
    const program = fileURLToPath(new URL(`../hosts/${name}.mjs`, import.meta.url))
    this.#name = name
    const command = [process.execPath, ...execArgv, program, JSON.stringify(input)]
    const limits = [
      ...(descriptors === undefined ? [] : [`ulimit -n ${descriptors}`]),
      ...(fileKilobytes === undefined ? [] : [`ulimit -f ${fileKilobytes}`]),
    ]
    const limit = limits.length === 0 ? '' : `${limits.join('; ')}; exec "$@"`
    const script = onlyStdio ? ONLY_STDIO : limit
    const [executable, ...args] = script === '' ? command : ['bash', '-c', script, 'bash', ...command]
    this.#child = spawn(executable!, args, {
      env: { ...process.env, NODE_OPTIONS: '', ...env, [MARK]: this.#mark },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: ownGroup,
    })
    const { pid, stdout, stderr } = this.#child
    if (pid === undefined || stdout === null || stderr === null) throw new Error(`${name} was not started`)
    this.pid = pid
    stderr.setEncoding('utf8').on('data', (text: string) => (this.errors += text))
    this.#lines = createInterface(stdout)[Symbol.asyncIterator]()
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#endedAt = performance.now()
        resolve({ code, signal })
      })
    })
  }

  /** The next line of the program. */
  async line<T>(): Promise<T> {
    const { value, done } = await within(`a line of ${this.#name}`, this.#lines.next(), () => this.errors)
    if (done) throw new Error(`${this.#name} has nothing more to say\n${this.errors}`)
    return JSON.parse(value as string) as T
  }

  /** All further lines of the program, until its end. */
  async lines(): Promise<unknown[]> {
    const said: unknown[] = []
    for (;;) {
      const { value, done } = await within(`the last line of ${this.#name}`, this.#lines.next(), () => this.errors)
      if (done) return said
      said.push(JSON.parse(value as string))
    }
  }

  /** The end of the program itself. Its workers may still be there. */
  ended(): Promise<Ending> {
    return within(`the end of ${this.#name}`, this.#ended, () => `${this.errors}\n${this.processes().join(' ')}`)
  }

  /**
   * The process ids of the program and of all processes that it has started, directly or not, and that have not ended.
   */
  processes(): number[] {
    return marked(this.#mark)
  }

  /**
   * Waits until nothing of the program is left.
   *
   * @returns Milliseconds from its own end until then.
   */
  async vanished(): Promise<number> {
    await this.ended()
    for (;;) {
      const left = this.processes()
      const after = performance.now() - this.#endedAt
      if (left.length === 0) return after
      if (after > WATCHDOG_MS / 2) {
        const table = processTable().filter(({ pid }) => left.includes(pid))
        throw new Error(`${this.#name} left behind: ${JSON.stringify(table)}\n${this.errors}`)
      }
      await sleep(2)
    }
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  /** Signals the program's process group, as a terminal does. The program must have a group of its own. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal)
  }

  /** Kills the processes that a failed test has left. */
  killAll(): void {
    for (const pid of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // The process has ended already.
      }
    }
  }
}

/**
 * The processes that were started with a mark in their environment. A zombie has no environment any more: a test of its
 * parent's program checks that it is reaped.
 */
function marked(mark: string): number[] {
  const wanted = `${MARK}=${mark}`
  const found: number[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      if (readFileSync(`/proc/${entry}/environ`, 'latin1').includes(wanted)) found.push(Number(entry))
    } catch {
      // The process has ended, or belongs to another user.
    }
  }
  return found
}
