// The options of the programs here: `--help` prints what a program takes, and so does a mistake.

import { parseArgs } from 'node:util'

/**
 * As `parseArgs`, with the option `--help`. The program ends at `--help`, and with status 2 at a mistake.
 *
 * @template {import('node:util').ParseArgsConfig} Config
 * @param {string} usage
 * @param {Config} config
 * @returns {ReturnType<typeof parseArgs<Config>>}
 */
export function optionsOf(usage, config) {
  if (process.argv.slice(2).some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage.trim())
    process.exit()
  }
  try {
    return parseArgs(config)
  } catch (error) {
    mistake(error, usage)
  }
}

/**
 * Names in lines of a text, after one word.
 *
 * @param {string[]} names
 */
export function wrap(names) {
  const lines = ['']
  for (const name of names) {
    const line = lines.at(-1) ?? ''
    if (line.length + name.length > 90) lines.push(name)
    else lines[lines.length - 1] = line === '' ? name : `${line}, ${name}`
  }
  return `\n  ${lines.join(',\n  ')}`
}

/**
 * Ends the program for a mistake in its options.
 *
 * @param {unknown} error
 * @param {string} usage
 * @returns {never}
 */
export function mistake(error, usage) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage.trim()}`)
  process.exit(2)
}
