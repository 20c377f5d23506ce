// A control group with a limit of memory, where this process may make one.

import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/**
 * The possible places of this process's group, with the file of its limit: of cgroup v2, and of v1.
 */
function candidates(): { directory: string; limit: string }[] {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n')
  const group = (pattern: RegExp): string | undefined => lines.map((line) => pattern.exec(line)?.[1]).find(Boolean)
  const second = group(/^0::(.*)$/)
  const first = group(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/)
  return [
    ...(first === undefined
      ? []
      : [{ directory: join('/sys/fs/cgroup/memory', first), limit: 'memory.limit_in_bytes' }]),
    ...(second === undefined ? [] : [{ directory: join('/sys/fs/cgroup', second), limit: 'memory.max' }]),
  ]
}

/** The directory of a new group, which is removed after the test; undefined where making one is not permitted. */
export function memoryGroup(t: ExecutionContext, bytes: number): string | undefined {
  for (const { directory, limit } of candidates()) {
    const path = join(directory, `millrace-test-${process.pid}`)
    try {
      mkdirSync(path)
    } catch {
      continue
    }
    t.teardown(() => rmdirSync(path))
    try {
      writeFileSync(join(path, limit), String(bytes))
      return path
    } catch {
      // A group without the controller of memory.
    }
  }
  return undefined
}
