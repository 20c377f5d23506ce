// Which descriptors of this process lead out of it: to files, devices, sockets, and pipes whose other end somebody else
// has. A fork would share them, their positions and their ends. Those that Node has for itself lead nowhere else.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const LAST_OF_STDIO = 2

/** Nothing is shared by having them open. */
const HARMLESS = new Set(['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom'])

interface Descriptor {
  readonly fd: number
  /** Such as `/var/log/x`, `socket:[17]`. */
  readonly target: string
}

/** All but standard input and output and those in `known`, such as `17 -> /var/log/x`. Linux only. */
export function outwardDescriptors(known: readonly number[]): string[] {
  const all = descriptorsOfProcess()
  // Node opens a terminal anew.
  const terminals = new Set(
    all.filter(({ fd, target }) => fd <= LAST_OF_STDIO && target.startsWith('/dev/')).map(targetOf),
  )
  const others = all.filter(({ fd, target }) => fd > LAST_OF_STDIO && !known.includes(fd) && !terminals.has(target))
  const pipes = innerPipes(others)
  return others
    .filter(({ target }) => !target.startsWith('anon_inode:') && !HARMLESS.has(target) && !pipes.has(target))
    .map(({ fd, target }) => `${fd} -> ${target}`)
}

/** Pipes of which both ends are here. */
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
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [{ fd: Number(fd), target: readlinkSync(`/proc/self/fd/${fd}`) }]
    } catch {
      return [] // That of the listing itself.
    }
  })
}

/** `'0'` to read, `'1'` to write. */
function accessMode(fd: number): string | undefined {
  try {
    return /^flags:\s*\d*(\d)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
  } catch {
    return undefined
  }
}
