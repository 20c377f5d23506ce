// The native addon, typed by its generated declarations. It is loaded once; a failure to load it says what to do.

import { type Binding, builtBinary, packageOf, requireBinary, requireBuilt, requireInstalled } from '../binaries.js'
import { UnsupportedPlatformError } from '../errors/index.js'
import { builtin } from '../util/builtins.js'
import { messageOf } from '../util/text.js'
import { type Attempt, bindingError, versionError } from './diagnosis.js'
import { targets } from './target.js'
import { VERSION } from './version.js'

function load(): Binding {
  const { binding, where } = find()
  const version: unknown = binding.bindingVersion?.()
  if (version !== VERSION) throw versionError(version, VERSION, where)
  try {
    binding.checkPlatform()
  } catch (cause) {
    const { platform, arch } = process
    const reason = messageOf(cause)
    throw new UnsupportedPlatformError(`Millrace cannot run on ${platform}-${arch}: ${reason}`, {
      missing: [reason],
      cause,
    })
  }
  return binding
}

/** The binding, and a name for the place where it was. */
function find(): { binding: Binding; where: string } {
  const file = process.env.NAPI_RS_NATIVE_LIBRARY_PATH
  const attempts: Attempt[] = []
  if (file) {
    try {
      return { binding: requireBinary(file), where: file }
    } catch (error) {
      throw bindingError([{ target: undefined, where: `${file}, which NAPI_RS_NATIVE_LIBRARY_PATH names`, error }])
    }
  }
  for (const target of targets()) {
    // A clone has built its own binary. To look costs less than an attempt that fails.
    const isBuilt = builtin('node:fs').existsSync(builtBinary(target))
    const where = isBuilt ? builtBinary(target) : packageOf(target)
    try {
      return { binding: isBuilt ? requireBuilt(target) : requireInstalled(target), where }
    } catch (error) {
      attempts.push({ target, where, error })
    }
  }
  throw bindingError(attempts)
}

export const native: Binding = load()

export type NativePool = InstanceType<Binding['NativePool']>
export type NativeWorker = InstanceType<Binding['NativeWorker']>
export type {
  NativeBreakCause,
  NativeCallFailure,
  NativeDeath,
  NativeEvent,
  NativeExitReason,
  NativePoolOptions,
  NativeWorkerStats,
} from '../../native/binding.cjs'
