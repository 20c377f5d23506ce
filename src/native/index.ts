// The native addon, typed by its generated declarations. It is loaded once; a failure to load it says what to do.

import { UnsupportedPlatformError } from '../errors/index.js'
import { requireBinding } from '../paths.js'
import { messageOf } from '../util/text.js'

type Binding = typeof import('../../native/binding.cjs')

function load(): Binding {
  try {
    const binding = requireBinding()
    binding.checkPlatform()
    return binding
  } catch (cause) {
    const { platform, arch } = process
    const [reason = ''] = messageOf(cause).split('\n', 1)
    throw new UnsupportedPlatformError(
      `Millrace cannot run on ${platform}-${arch} with Node ${process.version}: ${reason}. ` +
        'There are binaries for Linux (x64, arm64; glibc, musl) and macOS (x64, arm64), installed as optional ' +
        'dependencies: if yours were omitted, reinstall without --omit=optional. Under the permission model Node ' +
        'needs --allow-addons.',
      { missing: [reason], cause },
    )
  }
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
