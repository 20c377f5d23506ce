// Which binary is for this process: by operating system, processor and C library.

import { builtin } from '../util/builtins.js'
import { Buffer } from '../util/globals.js'

/** Enough of an executable to have the name of its dynamic loader, which follows the headers. */
const HEAD_BYTES = 4096

/** The names of the binaries for this process, as napi-rs names them: the likeliest first, one of several at most. */
export function targets(): string[] {
  const { platform, arch } = process
  const target = `${platform}-${arch}`
  if (platform !== 'linux') return [target]
  const library = ownLibrary()
  return library === undefined ? [`${target}-gnu`, `${target}-musl`] : [`${target}-${library}`]
}

/**
 * The C library of this process; undefined if that cannot be known. Where it is known, the binary for the other library
 * is not tried: on a system that has both libraries such a binary may load, and crash.
 */
function ownLibrary(): 'gnu' | 'musl' | undefined {
  const { closeSync, openSync, readSync } = builtin('node:fs')
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    const executable = openSync('/proc/self/exe', 'r')
    try {
      readSync(executable, head, 0, HEAD_BYTES, 0)
    } finally {
      closeSync(executable)
    }
    if (head.includes('/ld-musl-')) return 'musl'
    return head.includes('/ld-linux') || head.includes('/ld64.so') ? 'gnu' : undefined
  } catch {
    return undefined // No /proc, or the permission model.
  }
}
