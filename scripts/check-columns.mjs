// Fails for lines of more than 120 characters. Formatters wrap code and the prose of Markdown, but no comments and no
// texts.

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const COLUMNS = 120

/** Generated files, data, and Markdown, whose tables have lines as long as they need. */
const PASSED_OVER =
  /^(?:index\.d\.ts|native\/|docs\/benchmarks)|\/(?:output|proptest-regressions)\/|\.(?:json|lock|md|svg)$/

/** Tests and benchmarks may have long titles and texts: these do not count there. */
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
      .filter(({ text }) => [...(WITH_LONG_TEXTS.test(file) ? text.replace(TEXT, "''") : text)].length > COLUMNS),
  )
for (const { place, text } of tooLong) console.error(`${place}: ${[...text].length} characters, more than ${COLUMNS}`)
process.exitCode = tooLong.length > 0 ? 1 : 0
