// The descriptors of this process that lead out of it: to files, devices, sockets, and pipes with the other end
// elsewhere. A fork would share them: positions in files, and ends of pipes. Node's own descriptors lead nowhere else.

import { builtin } from '../util/builtins.js'

const LAST_OF_STDIO = 2

/** Devices that a fork may share: an open descriptor of them has no state. */
const HARMLESS = new Set(['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'])

interface Descriptor {
  readonly fd: number
  /** For example `/var/log/x` or `socket:[17]`. */
  readonly target: string
}

/**
 * The outward descriptors except standard input and output and those in `known`, for example `17 -> /var/log/x`. Linux
 * only.
 */
export function outwardDescriptors(known: readonly number[]): string[] {
  const all = descriptorsOfProcess()
  // Node opens a terminal of the standard streams a second time.
  const terminals = new Set(
    all.filter(({ fd, target }) => fd <= LAST_OF_STDIO && target.startsWith('/dev/')).map(targetOf),
  )
  const others = all.filter(({ fd, target }) => fd > LAST_OF_STDIO && !known.includes(fd) && !terminals.has(target))
  const pipes = innerPipes(others)
  return others
    .filter(({ target }) => !target.startsWith('anon_inode:') && !HARMLESS.has(target) && !pipes.has(target))
    .map(({ fd, target }) => `${fd} -> ${target}`)
}

/** The pipes with both ends in this process. */
function innerPipes(descriptors: Descriptor[]): Set<string> {
  const pipes = descriptors.filter(({ target }) => target.startsWith('pipe:'))
  const [readable, writable] = ['0', '1'].map(
    (mode) => new Set(pipes.filter(({ fd }) => accessMode(fd) === mode).map(targetOf)),
  )
  return new Set([...readable!].filter((target) => writable!.has(target)))
}

function targetOf({ target }: Descriptor): string {
  return target
}

function descriptorsOfProcess(): Descriptor[] {
  const { readdirSync, readlinkSync } = builtin('node:fs')
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [{ fd: Number(fd), target: readlinkSync(`/proc/self/fd/${fd}`) }]
    } catch {
      return [] // The descriptor of this listing, which is closed by now.
    }
  })
}

/** `'0'` for reading, `'1'` for writing. */
function accessMode(fd: number): string | undefined {
  try {
    return /^flags:\s*\d*(\d)$/m.exec(builtin('node:fs').readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
  } catch {
    return undefined
  }
}
