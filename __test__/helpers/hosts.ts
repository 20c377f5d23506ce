// Host programs: the small programs in ../hosts, each started as a process of its own, so that it can end in every way
// a program can end. A test reads what its program says, a line of JSON at a time, and looks from outside at what is
// left.
//
// Every process that a program starts, and whatever that starts in turn, carries a mark in its environment: so it is
// found however it came to be, and whoever became its parent when the program was gone.

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
  /** Beside this process's own environment. */
  env?: Record<string, string>
  /** Options for Node. */
  execArgv?: string[]
  /** As a shell starts a job: in a process group of its own. */
  ownGroup?: boolean
  /** Without the descriptors that whoever runs the tests has left open. */
  onlyStdio?: boolean
}

/** Closes all but 0, 1 and 2 before it becomes the program that its arguments are. */
const ONLY_STDIO = 'for fd in /proc/self/fd/*; do fd=${fd##*/}; [ "$fd" -lt 3 ] || eval "exec $fd>&-"; done; exec "$@"'

/**
 * For a program that can be forked: with V8's work on the main thread, and no descriptor of its parent's but the usual
 * ones.
 */
export const forkable: HostOptions = { execArgv: ['--single-threaded', '--v8-pool-size=1'], onlyStdio: true }

/** How a program ended. */
export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
}

/**
 * How many processes a program has with so many workers, in so many pools: forked workers come from a server of their
 * pool's.
 */
export function processCount(workers: number, pools = 1): number {
  return 1 + workers + (startMethod === 'forkserver' ? pools : 0)
}

/** Starts the program `../hosts/NAME.mjs`, which finds `input` in its first argument, as JSON. */
export function startHost(t: ExecutionContext, name: string, input: unknown = {}, options: HostOptions = {}): Host {
  const host = new Host(name, input, options)
  t.teardown(() => host.killAll())
  return host
}

/** Runs a program that says one thing and ends by itself with code 0: what it said. All its processes are gone then. */
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
  /** What the program and its workers wrote to standard error. */
  errors = ''
  readonly #name: string
  readonly #mark = randomUUID()
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #ended: Promise<Ending>
  #endedAt = 0

  constructor(name: string, input: unknown, options: HostOptions) {
    const { env = {}, execArgv = [], ownGroup = false, onlyStdio = false } = options
    const program = fileURLToPath(new URL(`../hosts/${name}.mjs`, import.meta.url))
    this.#name = name
    const command = [process.execPath, ...execArgv, program, JSON.stringify(input)]
    const [executable, ...args] = onlyStdio ? ['bash', '-c', ONLY_STDIO, 'bash', ...command] : command
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

  /** The next line that the program says. */
  async line<T>(): Promise<T> {
    const { value, done } = await within(`a line of ${this.#name}`, this.#lines.next(), () => this.errors)
    if (done) throw new Error(`${this.#name} has nothing more to say\n${this.errors}`)
    return JSON.parse(value as string) as T
  }

  /** All that the program still says, until its end. */
  async lines(): Promise<unknown[]> {
    const said: unknown[] = []
    for (;;) {
      const { value, done } = await within(`the last line of ${this.#name}`, this.#lines.next(), () => this.errors)
      if (done) return said
      said.push(JSON.parse(value as string))
    }
  }

  /** How the program itself ended. Its workers may still be there. */
  ended(): Promise<Ending> {
    return within(`the end of ${this.#name}`, this.#ended, () => `${this.errors}\n${this.processes().join(' ')}`)
  }

  /** The program and all that it has started, directly or not, and that has not ended: process ids. */
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

  /** To the program's process group, as a terminal does; it must have one of its own. */
  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal)
  }

  /** What a failed test has left. */
  killAll(): void {
    for (const pid of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It was faster.
      }
    }
  }
}

/** The processes with a mark in the environment they were started with. A zombie has none any more: who must reap it is
 * checked where its parent lives. */
function marked(mark: string): number[] {
  const wanted = `${MARK}=${mark}`
  const found: number[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      if (readFileSync(`/proc/${entry}/environ`, 'latin1').includes(wanted)) found.push(Number(entry))
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return found
}
