// A program with globals that are not Node's. The text `after` runs here, once the package is loaded, and as the
// initializer of the workers. What runs before the package is loaded is in the options for Node, which workers inherit.

import assert from 'node:assert/strict'
import { writeSync } from 'node:fs'

/** @type {{ after?: string }} */
const { after = '' } = JSON.parse(process.argv[2] ?? '{}')
const { importTasks, ProcessPoolExecutor, SharedBuffer, TimeoutError } = await import('millrace')
const change = /** @type {() => void} */ (new Function(after))
change()

const href = import.meta.url.replace('hosts/globals.mjs', 'fixtures/globals.mjs')
/** @type {import('millrace').ImportedTasks<typeof import('../fixtures/globals.mjs')>} */
const tasks = importTasks(href)
const pool = new ProcessPoolExecutor({ maxWorkers: 1, initializer: change })

// Source text, modules by URL text, by path, and by the URL of another class.
assert.equal(await pool.submit((/** @type {string} */ text) => text, 'é☃'), 'é☃')
assert.equal(await pool.submit(tasks.identity, 'é☃'), 'é☃')
const byObject = importTasks(/** @type {URL} */ ({ href, protocol: 'file:', toString: () => href }))
assert.equal(await pool.submit(/** @type {any} */ (byObject).identity, 1), 1)
assert.throws(() => importTasks(/** @type {any} */ ({ href: 'no URL' })), { code: 'ERR_INVALID_ARG_TYPE' })

// Values.
const bytes = process.getBuiltinModule('node:buffer').Buffer.from('bytes')
assert.deepEqual(await pool.submit(tasks.identity, [bytes, bytes]), [bytes, bytes])
const { mtime } = process.getBuiltinModule('node:fs').statSync(process.execPath)
const dates = await pool.submit(tasks.identity, [mtime, new Map([[1, mtime]])])
assert.equal(/** @type {any} */ (dates)[0].getTime(), mtime.getTime())
const resizable = new /** @type {any} */ (ArrayBuffer)(8, { maxByteLength: 16 })
const views = await pool.submit(tasks.identity, [new Uint8Array(resizable), new Uint8Array(resizable, 0, 4)])
;/** @type {any} */ (views)[0].buffer.resize(12)
assert.deepEqual(
  /** @type {any} */ (views).map((/** @type {Uint8Array} */ view) => view.length),
  [12, 4],
)
const moved = new ArrayBuffer(16)
assert.equal(/** @type {any} */ (await pool.run(tasks.identity, [moved], { transfer: [moved] })).byteLength, 16)
assert.equal(moved.byteLength, 0)
const shared = new SharedBuffer(1024, pool)
await pool.run(tasks.identity, [shared], { transfer: [shared] })
assert.equal(shared.byteLength, 0)

// Errors.
const failure = /** @type {any} */ (await pool.submit(tasks.fail).exception())
assert.ok(failure instanceof RangeError)
assert.equal(failure.message, 'of the task')
assert.equal(failure.code, 'E_TASK')
assert.equal(typeof failure.stack, 'string')
assert.doesNotMatch(failure.stack, /\[object/)
const aborted = /** @type {any} */ (await pool.submit(tasks.abort).exception())
assert.equal(aborted.name, 'AbortError')
assert.equal(aborted.code, 20)
assert.throws(() => pool.submit(/** @type {any} */ (1)), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' })

// Time limits.
const isTimeout = (/** @type {unknown} */ error) => error instanceof TimeoutError
await assert.rejects(pool.submit(tasks.never).result({ timeout: 30 }), isTimeout)
assert.throws(() => pool.submit(tasks.never).resultSync({ timeout: 30 }), isTimeout)
const mapped = pool.map(tasks.never, [1], { timeout: 30 })
await assert.rejects(mapped.next(), isTimeout)

// A signal of another class, which is aborted while the task runs.
/** @type {((event: { target: unknown }) => void)[]} */
const listeners = []
const signal = {
  aborted: false,
  reason: 'enough',
  addEventListener: (/** @type {string} */ _type, /** @type {() => void} */ fn) => void listeners.push(fn),
  removeEventListener: () => {},
}
const stopped = pool.run(tasks.never, [1], { signal: /** @type {any} */ (signal) })
signal.aborted = true
for (const listener of listeners) listener({ target: signal })
await assert.rejects(stopped.result(), { name: 'CancelledError' })

// A listener's error comes to the program, and the end of the pool does not wait for calls that never end.
const caught = new Promise((resolve) => process.once('uncaughtException', resolve))
pool.once('workerExit', () => {
  throw new Error('of a listener')
})
await pool.shutdown({ timeout: 30, kill: true })
assert.equal(/** @type {any} */ (await caught).message, 'of a listener')
writeSync(1, '"done"\n')
