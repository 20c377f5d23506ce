// Fails for lines of more than 120 characters. Formatters wrap code and the prose of Markdown, but neither comments nor
// strings.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const COLUMNS = 120

/** Not checked: generated files, data, and Markdown, whose tables have lines of any length. */
const PASSED_OVER =
  /^(?:(?:index|streams)\.d\.ts|native\/|docs\/benchmarks)|\/(?:output|proptest-regressions)\/|\.(?:json|lock|md|svg)$/

/** A URL has no place for a break: of its characters none counts. */
const URLS = /https?:\/\/\S+/g

/** Strings do not count in these: tests and benchmarks have long titles and texts. */
const WITH_LONG_TEXTS = /^(?:__test__|bench|examples)\//
const TEXT = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/g

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
const tooLong = files
  .trim()
  .split('\n')
  .filter((file) => !PASSED_OVER.test(file) && existsSync(file))
  .flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line, index) => ({ place: `${file}:${index + 1}`, text: line }))
      .filter(({ text }) => countedLength(file, text) > COLUMNS),
  )
for (const { place, text } of tooLong) console.error(`${place}: ${[...text].length} characters, more than ${COLUMNS}`)
process.exitCode = tooLong.length > 0 ? 1 : 0

/**
 * @param {string} file
 * @param {string} line
 */
function countedLength(file, line) {
  const counted = line.replace(URLS, '')
  return [...(WITH_LONG_TEXTS.test(file) ? counted.replace(TEXT, "''") : counted)].length
}
