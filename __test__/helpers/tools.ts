// Folders in which the packed package is installed beside tools of `__test__/tools`, for `tools-*.spec.ts`.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { tempDirectory } from './pool.js'
import { type Ended, run, writeFile } from './programs.js'

/** Where `scripts/test-tools.sh` has put the packed package. */
const packed = process.env.MILLRACE_TEST_TOOLS

/** The installation of all tools. */
export const TOOLS = resolve('__test__/tools/node_modules')

/** A test with a tool. Only `scripts/test-tools.sh` runs these: they take minutes, and need what it installs. */
export const testTool = packed === undefined ? test.skip : test.serial

/** The files that `scripts/pack.sh` has made. */
export const TARBALLS = ['millrace.tgz', 'binding.tgz'].map((name) => join(packed ?? '', name))

/** A folder with these files, in which the packed package is installed, and these tools. */
export function makeProject(t: ExecutionContext, files: Record<string, string>, tools: readonly string[] = []): string {
  const folder = tempDirectory(t)
  install(folder)
  for (const tool of tools) {
    const place = join(folder, 'node_modules', tool)
    mkdirSync(dirname(place), { recursive: true })
    symlinkSync(join(TOOLS, tool), place)
  }
  for (const [name, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) {
    writeFile(join(folder, name), text)
  }
  return folder
}

/** Installs the packed package into a folder, as npm would. */
function install(folder: string): void {
  const binding = execFileSync('tar', ['-xzOf', TARBALLS[1]!, 'package/package.json'], { encoding: 'utf8' })
  const names = ['millrace', (JSON.parse(binding) as { name: string }).name]
  for (const [index, name] of names.entries()) {
    const place = join(folder, 'node_modules', name)
    mkdirSync(place, { recursive: true })
    execFileSync('tar', ['-xzf', TARBALLS[index]!, '-C', place, '--strip-components=1'])
  }
}

/** Runs a line of the shell in a folder, with the programs of all tools in the PATH. */
export function shell(cwd: string, line: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return run('bash', ['-ec', line], { cwd, env: { PATH: `${TOOLS}/.bin:${process.env.PATH}`, ...env } })
}

/**
 * The first block with this beginning in a section of a document: a file that it names, or a command. So what the
 * documents show is what is tried.
 */
export function blockOf(document: string, section: string, beginning: string): string {
  const text = readFileSync(document, 'utf8')
  const from = text.indexOf(`## ${section}\n`)
  const end = text.indexOf('\n## ', from + 1)
  const blocks = text.slice(from, end < 0 ? undefined : end).matchAll(/^```\w*\n([^]*?)^```$/gm)
  for (const [, block] of blocks) if (block!.startsWith(beginning)) return block!
  throw new Error(`${document} has no block '${beginning}' in the section '${section}'`)
}

/** Whether this Node strips types by itself. */
export const STRIPS_TYPES = Boolean((process.features as { typescript?: unknown }).typescript)
