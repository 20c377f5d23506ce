// Workers of a program on a terminal: a real pseudo-terminal, made by Python's `pty`.

import test from 'ava'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { until } from './helpers/waiting.js'

// Node has no pseudo-terminals of its own, and Python may be missing.
const hasTerminals = spawnSync('python3', ['-c', 'import pty']).status === 0
const onTerminal = hasTerminals ? test : test.skip
const methods = process.platform === 'linux' ? ['spawn', 'forkserver'] : ['spawn']
const path = fileURLToPath(new URL('hosts/terminal.mjs', import.meta.url))

/** Runs `hosts/terminal.mjs` on a terminal on which somebody types. Returns what it has said. */
async function said(...args: string[]): Promise<unknown> {
  const python = 'import pty, sys\npty.spawn(sys.argv[1:])'
  const child: ChildProcess = spawn('python3', ['-c', python, process.execPath, path, ...args])
  let output = ''
  child.stdout!.on('data', (text) => (output += String(text)))
  child.stdin!.on('error', () => {})
  const typing = setInterval(() => child.stdin!.write('y\n'), 100)
  try {
    await until(
      'the program says something',
      () => / END\b/.test(output) || child.exitCode !== null,
      () => output,
    )
  } finally {
    clearInterval(typing)
    child.kill('SIGKILL')
  }
  return JSON.parse(/SAID (.*?) END/.exec(output)?.[1] ?? JSON.stringify(output))
}

for (const method of methods) {
  for (const how of ['idle', 'recycled', 'shutdown', 'killed']) {
    onTerminal(`a worker that leaves does not take the terminal out of raw mode: ${how}, ${method}`, async (t) => {
      t.deepEqual(await said('mode', method, how), ['raw', 'raw'])
    })
  }

  onTerminal(
    `a task that uses the terminal gets an answer or an error, and its worker goes on (${method})`,
    async (t) => {
      const { answers, pids } = (await said('use', method)) as { answers: unknown[]; pids: number }
      t.is(answers.length, 5)
      t.true(
        answers.every((answer) => typeof answer === 'string'),
        JSON.stringify(answers),
      )
      t.is(pids, 1)
    },
  )
}
