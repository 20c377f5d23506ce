// Failures of system calls, as errors like Node's own.

import { getSystemErrorName } from 'node:util'

import { WorkerSpawnError } from '../../errors/index.js'

/**
 * The error for a worker that could not be started. `cause` has `errno`, `code` and `syscall`, as Node's errors have.
 */
export function spawnFailed(syscall: string, errno: number | undefined): WorkerSpawnError {
  const cause = systemError(syscall, errno)
  // Only a connection to a fork server is reset: none of the servers that were started came to fork.
  const hint =
    syscall === 'fork' && cause.code === 'ECONNRESET'
      ? ': fork servers ended before they could fork, and their standard error says why. An executable that does not ' +
        'run the script it is given, as Node does, needs the path of a Node in the option execPath'
      : ''
  return new WorkerSpawnError(`A worker process could not be started: ${syscall} failed with ${cause.code}${hint}`, {
    cause,
  })
}

/** The error for a pool for which the system has no descriptors or memory. Any other error is returned as it is. */
export function poolFailed(error: unknown): unknown {
  const cause = asSystemError(error)
  if (cause === undefined) return error
  return new WorkerSpawnError(`The pool could not be made: ${cause.syscall} failed with ${cause.code}`, { cause })
}

/**
 * The failed system call behind an error of the addon: `sys_error` in crates/node/src/platform.rs writes the message.
 */
export function asSystemError(error: unknown): NodeJS.ErrnoException | undefined {
  const [, syscall, errno] = /^(\w+): .*\(os error (\d+)\)$/s.exec(error instanceof Error ? error.message : '') ?? []
  return syscall === undefined ? undefined : systemError(syscall, Number(errno))
}

function systemError(syscall: string, errno: number | undefined): NodeJS.ErrnoException {
  const code = errnoName(errno)
  return Object.assign(new Error(`${syscall} ${code}`), {
    syscall,
    code,
    ...(errno === undefined ? {} : { errno: -errno }),
  })
}

export function errnoName(errno: number | undefined): string {
  if (errno === undefined) return 'an unknown error'
  try {
    return getSystemErrorName(-errno)
  } catch {
    return `errno ${errno}`
  }
}
