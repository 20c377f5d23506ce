// The standard output and error of tasks, through pipes whose reader is slow.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { Log } from './helpers/pool.js'
import { moment, until, within } from './helpers/waiting.js'

const program = fileURLToPath(new URL('hosts/output.mjs', import.meta.url))
const unread = fileURLToPath(new URL('hosts/unread.mjs', import.meta.url))
const BYTES = 4 << 20

interface Program {
  child: ChildProcess
  log: Log
  pipe: Readable
  ended: Promise<unknown>
}

function start(t: ExecutionContext, ending: string, output: 'stdout' | 'stderr'): Program {
  const log = new Log(t)
  const input = JSON.stringify({ ending, output, bytes: BYTES, file: log.path })
  const child = spawn(process.execPath, [program, input], {
    stdio: ['ignore', output === 'stdout' ? 'pipe' : 'ignore', output === 'stderr' ? 'pipe' : 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  t.teardown(() => child.kill('SIGKILL'))
  return { child, log, pipe: child[output]!, ended: once(child, 'exit') }
}

/** Everything that comes through a pipe. Nothing is read before `after`. */
async function readLate({ pipe }: Program, after: Promise<unknown>): Promise<string> {
  await after
  await moment(300)
  let text = ''
  for await (const part of pipe.setEncoding('latin1')) text += part
  return text
}

const endings = ['recycling', 'shutdown', 'draining', 'idle', 'retired', 'initializer'] as const

for (const output of ['stdout', 'stderr'] as const) {
  for (const ending of endings) {
    test.serial(`all that tasks wrote to a slow pipe arrives: ${output}, ${ending}`, async (t) => {
      const started = start(t, ending, output)
      // By then the pipe is full, and the first worker is about to leave.
      const about = ending === 'initializer' ? moment(500) : until('the first call', () => started.log.lines.length > 0)
      const reading = readLate(started, ending === 'recycling' ? moment(500) : about)
      const text = await within('the output', reading, () => started.log.lines.join())
      t.deepEqual(await within('the end of the program', started.ended), [0, null])
      const writers = ending === 'recycling' ? 4 : 1
      t.is(text.length, BYTES)
      t.deepEqual(
        text.split('\n').filter((line) => line.startsWith('end')),
        Array.from({ length: writers }, (_, index) => `end ${index}`),
      )
    })
  }
}

for (const ending of ['shutdown', 'draining'] as const) {
  test.serial(`a reader that never reads does not hold a program: ${ending}`, async (t) => {
    const { log, ended } = start(t, ending, 'stdout')
    t.deepEqual(await within('the end of the program', ended, () => log.lines.join()), [0, null])
    t.deepEqual(log.lines, ending === 'shutdown' ? ['written', 'shutdown', 'shut down'] : ['written', 'shutdown'])
  })
}

test.serial('a reader that is gone does not hold a worker', async (t) => {
  const { log, pipe, ended } = start(t, 'shutdown', 'stdout')
  await until('the call', () => log.lines.length > 0)
  pipe.destroy()
  t.deepEqual(await within('the end of the program', ended, () => log.lines.join()), [0, null])
  t.deepEqual(log.lines, ['written', 'shutdown', 'shut down'])
})

for (const output of ['stdout', 'stderr'] as const) {
  test(`output whose reader has gone ends no worker, and a listener hears of it: ${output}`, async (t) => {
    const other = output === 'stdout' ? 'stderr' : 'stdout'
    const child = spawn(process.execPath, [unread, output], { stdio: ['ignore', 'pipe', 'pipe'] })
    t.teardown(() => child.kill('SIGKILL'))
    child[output].destroy()
    let said = ''
    for await (const text of child[other]) said += String(text)
    t.deepEqual(JSON.parse(said), { starts: 1, failed: 0, heard: 'EPIPE' })
  })
}
