// `byteRanges()` and `readRange()` of `millrace/streams`, and lines of ranges.

import test from 'ava'
import fc from 'fast-check'
import { appendFileSync, mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { ProcessPoolExecutor } from '../src/index.js'
import { byteRanges, lines, type Range, readRange } from '../src/streams/index.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-ranges-'))
test.after.always(() => rmSync(folder, { recursive: true }))
let files = 0
function fileWith(content: string | Uint8Array): string {
  const path = join(folder, `${files++}`)
  writeFileSync(path, content)
  return path
}

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

/** The records of a text, each with its delimiter. */
function records(text: string, delimiter: string): string[] {
  const parts = text.split(delimiter)
  const last = parts.pop()!
  return [...parts.map((part) => part + delimiter), ...(last === '' ? [] : [last])]
}

test('each record is whole in one range, whatever the delimiter', async (t) => {
  const path = fileWith('')
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('\n', '\r\n', '\n\n', 'aa', 'aba', 'é', '\n\r\n'),
      fc.array(fc.constantFrom('\n', '\r', 'a', 'b', 'é', 'long text ')),
      fc.integer({ min: 1, max: 30 }),
      fc.boolean(),
      async (delimiter, letters, bytes, header) => {
        const text = letters.join('')
        writeFileSync(path, text)
        const ranges = await byteRanges(path, { bytes, delimiter, header })
        const expected = records(text, delimiter)
        const first = header ? expected.shift() : undefined
        let position = first === undefined ? 0 : Buffer.byteLength(first)
        const found: string[] = []
        for (const range of ranges) {
          t.is(range.start, position)
          t.true(range.end > range.start)
          position = range.end
          const content = await readRange(range)
          t.is(content.length, range.end - range.start)
          found.push(...records(content.toString(), delimiter))
          // Without its last record a range is too small.
          const last = records(content.toString(), delimiter).at(-1)!
          t.true(content.length - Buffer.byteLength(last) < bytes)
        }
        t.deepEqual(found, expected)
        if (ranges.length > 0) t.is(position, Buffer.byteLength(text))
      },
    ),
    { numRuns: 500 },
  )
})

test('the lines of all ranges are those of the whole, over many sizes of pieces', async (t) => {
  const text = Array.from({ length: 50_000 }, (_, index) => `${'ä€𝄞'.repeat(index % 7)}${index}\r\n`).join('')
  const path = fileWith(`\uFEFFid\n${text}`)
  const expected = text.split('\r\n').slice(0, -1)
  for (const bytes of [1000, 65_536, 300_001, 10_000_000]) {
    const ranges = await byteRanges(pathToFileURL(path), { bytes, header: true })
    t.true(ranges.every(({ header }) => header === 'id'))
    const found: string[] = []
    for (const range of ranges) found.push(...(await all(lines(range))))
    t.deepEqual(found, expected)
  }
})

test('a byte order mark is dropped at the start of the file, not at the start of a later range', async (t) => {
  const path = fileWith('\uFEFFab\n\uFEFFcd\n')
  const ranges = await byteRanges(path, { bytes: 1 })
  t.deepEqual(await all(lines(ranges[0]!)), ['ab'])
  t.deepEqual(await all(lines(ranges[1]!)), ['\uFEFFcd'])
})

test('workers read ranges for themselves', async (t) => {
  const path = fileWith(Array.from({ length: 1000 }, (_, index) => `${index}\n`).join(''))
  await using pool = new ProcessPoolExecutor({ maxWorkers: 2 })
  const { href } = new URL('../dist/streams/index.js', import.meta.url)
  const sum = async (url: string, range: Range) => {
    const { lines } = (await import(url)) as typeof import('../src/streams/index.js')
    let total = 0
    for await (const line of lines(range)) total += Number(line)
    return total
  }
  const ranges = await byteRanges(path, { bytes: 500 })
  t.true(ranges.length > 5)
  const sums = await Promise.all(ranges.map((range) => pool.submit(sum, href, range)))
  t.is(
    sums.reduce((left, right) => left + right),
    499_500,
  )
})

test('a file that has changed is an error, never wrong records', async (t) => {
  const content = 'line\n'.repeat(1000)
  const changes: Record<string, (path: string) => void> = {
    grown: (path) => appendFileSync(path, 'more\n'),
    shorter: (path) => truncateSync(path, 2500),
    written: (path) => writeFileSync(path, content.toUpperCase()),
    touched: (path) => utimesSync(path, 1, 1),
  }
  for (const [name, change] of Object.entries(changes)) {
    const path = fileWith(content)
    utimesSync(path, 5, 5)
    const [range] = await byteRanges(path)
    change(path)
    const expected = { code: 'ERR_MILLRACE_FILE_CHANGED', message: new RegExp(`${path} has changed`) }
    await t.throwsAsync(readRange(range!), expected, name)
    await t.throwsAsync(all(lines(range!)), expected, name)
  }
})

test('a file that changes while its lines are read is an error', async (t) => {
  const content = 'line\n'.repeat(1_000_000)
  const changes = [(path: string) => appendFileSync(path, 'x'), (path: string) => truncateSync(path, 1_000_000)]
  for (const change of changes) {
    const path = fileWith(content)
    const [range] = await byteRanges(path, { bytes: 1e9 })
    const iterator = lines(range!)
    t.is((await iterator.next()).value, 'line')
    change(path)
    await t.throwsAsync(all(iterator), { code: 'ERR_MILLRACE_FILE_CHANGED' })
  }
})

test('a file without records has no ranges', async (t) => {
  t.deepEqual(await byteRanges(fileWith('')), [])
  t.deepEqual(await byteRanges(fileWith('id\n'), { header: true }), [])
})

test('arguments that are none are refused', async (t) => {
  const path = fileWith('a\n')
  const [range] = await byteRanges(path)
  await t.throwsAsync(byteRanges(5 as never), { message: /"path"/ })
  await t.throwsAsync(byteRanges('' as never), { message: /"path"/ })
  await t.throwsAsync(byteRanges(folder), { message: /regular file/ })
  await t.throwsAsync(byteRanges(join(folder, 'none')), { code: 'ENOENT' })
  await t.throwsAsync(byteRanges(path, { bytes: 0 }), { message: /options\.bytes/ })
  await t.throwsAsync(byteRanges(path, { delimiter: '' }), { message: /options\.delimiter/ })
  await t.throwsAsync(byteRanges(path, { header: 1 } as never), { message: /options\.header/ })
  await t.throwsAsync(byteRanges(path, { byte: 1 } as never), { message: /Did you mean "bytes"/ })
  for (const broken of [null, 5, {}, { ...range, end: -1 }, { ...range, end: 1e9 }, { ...range, path: 5 }]) {
    await t.throwsAsync(readRange(broken as never), { message: /"range/ })
  }
  const wide = fileWith(`${'x'.repeat(2 ** 20)}\n`)
  await t.throwsAsync(byteRanges(wide, { header: true }), { instanceOf: RangeError, message: /delimiter/ })
})
