// The end of a forked process.
//
// Node's own teardown waits for the threads of its platform, which a fork does not have: it would hang, or crash. So
// each way into the teardown ends in a native exit instead, after listeners have run and errors were printed.

import { inspect } from 'node:util'

import { native } from '../../native/index.js'
import { builtin } from '../../util/builtins.js'

/** Members of `process` that Node calls on the inside and does not declare. */
interface InnerProcess {
  _fatalException(error: unknown, fromPromise: boolean): boolean
  _exiting?: boolean
  reallyExit(code?: number): never
  emit(event: string, ...args: unknown[]): boolean
  exitCode?: number | string | null
}

/** The exit code of Node when the handler of an uncaught exception throws. */
const HANDLER_FAILED = 7

/** From now on this process ends without Node's teardown. */
export function exitNatively(): void {
  const inner = process as unknown as InnerProcess
  // The last step of process.exit().
  inner.reallyExit = (code) => native.exitNow(Number(code ?? inner.exitCode ?? 0)) as never

  // The way of an uncaught exception. Node's listeners for the exit run in this call; the error is printed afterwards.
  let dying = false
  const fatalException = inner._fatalException
  inner._fatalException = function (error, fromPromise) {
    try {
      dying = true
      if (fatalException.call(this, error, fromPromise)) return true
    } catch (thrown) {
      die(thrown, HANDLER_FAILED)
    } finally {
      dying = false
    }
    return die(error, Number(inner.exitCode ?? 1))
  }

  // The way of an event loop without work: after the listeners would come the teardown.
  const { emit } = inner
  inner.emit = function (event, ...args) {
    const handled = Reflect.apply(emit, this, [event, ...args]) as boolean
    if (event === 'exit' && inner._exiting === true && !dying) native.exitNow(Number(inner.exitCode ?? args[0] ?? 0))
    return handled
  }
}

function die(error: unknown, code: number): never {
  try {
    builtin('node:fs').writeSync(2, `Uncaught ${inspect(error)}\n`)
  } catch {
    // Nobody can read the error.
  }
  return native.exitNow(code) as never
}
