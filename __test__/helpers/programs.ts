// Small programs that tests write into a folder of their own and run: what a process is depends on how it was started.

import { execFile } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ExecutionContext } from 'ava'
import { tempDirectory } from './pool.js'
import { WATCHDOG_MS } from './waiting.js'

export interface Ended {
  code: number | string | null
  out: string
  errors: string
}

/** A folder in which `millrace` is installed, with these files. */
export function makeFolder(t: ExecutionContext, files: Record<string, string>): string {
  const folder = tempDirectory(t)
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(resolve('.'), join(folder, 'node_modules/millrace'))
  for (const [name, text] of Object.entries(files)) writeFile(join(folder, name), text)
  return folder
}

/** Writes a file, which can be executed if its text begins with `#!`. */
export function writeFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  if (text.startsWith('#!')) chmodSync(path, 0o755)
}

/** Runs a command to its end. A command that takes too long is killed, and its code is null. */
export function run(
  command: string,
  args: string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<Ended> {
  const { NODE_OPTIONS: _, ...env } = process.env
  return new Promise((done) => {
    const given = { timeout: WATCHDOG_MS, killSignal: 'SIGKILL', ...options, env: { ...env, ...options.env } } as const
    execFile(command, args, given, (error, out, errors) => {
      done({ code: error === null ? 0 : (error.code ?? null), out: out.trim(), errors })
    })
  })
}

/** The most processes that may run a program of {@link counted}. Later ones leave at once. */
const MOST = 12

/** Source text that takes note of each process that runs it, so that tests can count them. */
export function counted(file: string): string {
  return `{
  const fs = process.getBuiltinModule?.('node:fs') ?? require('node:fs')
  fs.appendFileSync(${JSON.stringify(file)}, process.pid + ' ' + process.ppid + '\\n')
  if (fs.readFileSync(${JSON.stringify(file)}, 'utf8').split('\\n').length > ${MOST}) process.exit(42)
}
`
}

/** How many processes have run a program of {@link counted}. */
export function countOf(file: string): number {
  if (!existsSync(file)) appendFileSync(file, '')
  return readFileSync(file, 'utf8').split('\n').length - 1
}
