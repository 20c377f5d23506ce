// The end of a forked process. Node's own waits for the threads of its platform, which a fork does not have: it would
// hang, or crash. So each way that leads there ends in a native exit instead: after listeners have run, and errors were
// printed.

import { writeSync } from 'node:fs'
import { inspect } from 'node:util'

import { native } from '../../native/index.js'

/** What Node calls from its inside, and does not declare. */
interface InnerProcess {
  _fatalException(error: unknown, fromPromise: boolean): boolean
  _exiting?: boolean
  reallyExit(code?: number): never
  emit(event: string, ...args: unknown[]): boolean
  exitCode?: number | string | null
}

/** The code that Node ends with when a handler of an uncaught exception throws itself. */
const HANDLER_FAILED = 7

/** Has this process end without Node's teardown from now on. */
export function exitNatively(): void {
  const inner = process as unknown as InnerProcess
  // process.exit() ends here.
  inner.reallyExit = (code) => native.exitNow(Number(code ?? inner.exitCode ?? 0)) as never

  // An exception that nobody handles. Node's listeners for the exit run in here, the error is printed afterwards.
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

  // A loop that has nothing left to do: what comes after the listeners is the teardown.
  const { emit } = inner
  inner.emit = function (event, ...args) {
    const handled = Reflect.apply(emit, this, [event, ...args]) as boolean
    if (event === 'exit' && inner._exiting === true && !dying) native.exitNow(Number(inner.exitCode ?? args[0] ?? 0))
    return handled
  }
}

function die(error: unknown, code: number): never {
  try {
    writeSync(2, `Uncaught ${inspect(error)}\n`)
  } catch {
    // There is nobody to read it.
  }
  return native.exitNow(code) as never
}
