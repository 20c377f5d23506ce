// The start method 'forkserver': the abilities of forked workers, what they do not share, and the fate of their server.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  BrokenProcessPool,
  ForkUnsafeError,
  ProcessPoolExecutor,
  setStartMethod,
  TaskLoadError,
  WorkerSpawnError,
} from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { forked } from './fixtures/forked.mjs'
import { faultsBinding } from './helpers/faults.js'
import { test } from './helpers/leaks.js'
import { Gate, makePool, record, tempDirectory } from './helpers/pool.js'
import { childrenOf, isAlive, workersOf } from './helpers/processes.mjs'
import { until, within } from './helpers/waiting.js'

const preload = [new URL('./fixtures/forked.mjs', import.meta.url)]
const options = { startMethod: 'forkserver', preload } as const

if (process.platform === 'linux') {
  test('workers are forked by one server, which has loaded the preload modules', async (t) => {
    const pool = makePool(t, { ...options, maxWorkers: 3, name: 'a name' })
    const gate = new Gate(t)
    const held = Array.from({ length: 3 }, () => pool.submit(tasks.hold, gate.path, 0))
    await until(
      'three workers',
      () => pool.stats().running === 3,
      () => pool.dumpState(),
    )
    const [server, ...others] = childrenOf()
    t.deepEqual(others, [])
    t.is(workersOf().length, 3)
    gate.open()
    await Promise.all(held)
    for (const { pid } of workersOf()) {
      t.regex(readFileSync(`/proc/${pid}/cmdline`, 'latin1'), /worker\/main\.js a name millrace:\d+:/)
    }
    const who = await pool.submit(forked.who)
    t.is(who.pid, who.self)
    t.is(who.ppid, server!.pid)
    t.is(who.loadedIn, server!.pid)
    t.true(who.wasWorker && who.isWorker)
    t.regex(who.argv[1]!, /worker\/main\.js$/)
    t.deepEqual(who.argv.slice(2), ['a name'])
    await pool.shutdown()
    t.deepEqual(childrenOf(), [])
  })

  test('pools with equal options share a server, which ends with the last of them', async (t) => {
    const first = makePool(t, { ...options, maxWorkers: 1 })
    const second = makePool(t, { ...options, maxWorkers: 1, onWorkerDeath: 'isolate' })
    const other = makePool(t, { ...options, maxWorkers: 1, env: { ...process.env, OTHER: 'yes' } })
    const exits = record(second, 'workerExit')
    const who = await Promise.all([first, second, other].map((pool) => pool.submit(forked.who)))
    const [server, same, different] = who.map(({ loadedIn }) => loadedIn)
    t.is(server, same)
    t.not(server, different)
    t.deepEqual(
      childrenOf()
        .map(({ pid }) => pid)
        .sort(),
      [server, different].sort(),
    )
    await first.shutdown()
    t.deepEqual(
      childrenOf()
        .map(({ pid }) => pid)
        .sort(),
      [server, different].sort(),
    )
    // The ends of its workers are still seen, and the workers still have successors.
    await within('the death', second.submit(forked.end, 'really').exception(), () => second.dumpState())
    const successor = await within('a successor', second.submit(forked.who), () => second.dumpState())
    t.is(successor.loadedIn, server)
    t.like(exits[0], { exitCode: 4, reason: 'died' })
    await Promise.all([second.shutdown(), other.shutdown()])
    t.deepEqual(childrenOf(), [])
    const later = makePool(t, { ...options, maxWorkers: 1 })
    t.not((await later.submit(forked.who)).loadedIn, server)
  })

  test('a server whose death one pool has seen is replaced for all that share it', async (t) => {
    const pools = Array.from({ length: 3 }, () => makePool(t, { ...options, maxWorkers: 2, onWorkerDeath: 'isolate' }))
    const before = await Promise.all(pools.map((pool) => pool.submit(forked.who)))
    t.is(new Set(before.map(({ loadedIn }) => loadedIn)).size, 1)
    process.kill(before[0]!.loadedIn, 'SIGKILL')
    const gate = new Gate(t)
    const held = pools.map((pool) => pool.submit(tasks.hold, gate.path, 0))
    await until('all first workers to be busy', () => pools.every((pool) => pool.stats().running === 1))
    const after = await Promise.all(pools.map((pool) => within('a second worker', pool.submit(forked.who))))
    t.is(new Set(after.map(({ loadedIn }) => loadedIn)).size, 1)
    t.not(after[0]!.loadedIn, before[0]!.loadedIn)
    gate.open()
    await Promise.all(held)
  })

  test('a killed pool leaves no zombies to a server that others use', async (t) => {
    const user = makePool(t, { ...options, maxWorkers: 1 })
    const server = (await user.submit(forked.who)).loadedIn
    const gate = new Gate(t)
    for (let round = 0; round < 5; round++) {
      const pool = makePool(t, { ...options, maxWorkers: 2 })
      const running = pool.submit(tasks.hold, gate.path, 0)
      await until('it to run', () => pool.stats().running === 1)
      await pool.killWorkers()
      await running.exception()
    }
    t.is(await user.submit(tasks.add, 1, 2), 3)
    await until('one child to be left', () => childrenOf(server).length === 1)
    await user.shutdown()
  })

  const abilities: [keyof typeof forked, unknown][] = [
    ['timers', 'timers'],
    ['files', true],
    ['compress', undefined],
    ['digest', 32],
    ['names', undefined],
    ['children', 'child\n'],
    ['importing', 7],
    ['collecting', 'collected'],
    ['sockets', 'hello'],
    ['threads', undefined],
    ['wasm', 5],
    ['signals', 'SIGUSR2'],
    ['nested', undefined],
    ['finalizer', [undefined, 0]],
  ]
  for (const [ability, expected] of abilities) {
    test(`a forked worker: ${ability}`, async (t) => {
      const pool = makePool(t, { ...options, maxWorkers: 1 })
      const value = await within(ability, pool.submit(forked[ability] as () => unknown), () => pool.dumpState())
      if (expected === undefined) t.truthy(value)
      else t.deepEqual(value, expected)
    })
  }

  test('siblings share no randomness, whatever the server has drawn before', async (t) => {
    const pool = makePool(t, { ...options, maxWorkers: 1, maxTasksPerChild: 1 })
    const seen = new Map<unknown, number>()
    const pids = new Set<number>()
    pool.on('workerStart', ({ pid }) => pids.add(pid))
    for (let worker = 0; worker < 20; worker++) {
      const drawn = await pool.submit(forked.draw, 500)
      for (const value of drawn.flat()) {
        t.is(seen.get(value), undefined, `worker ${seen.get(value)} has drawn what worker ${worker} has: ${value}`)
        seen.set(value, worker)
      }
    }
    t.is(seen.size, 20 * 500 * 6)
    t.true(pids.size >= 20)
  })

  test('Math.random() of a forked worker is spread evenly', async (t) => {
    const pool = makePool(t, { ...options, maxWorkers: 1 })
    const counts = await pool.submit(() => {
      const buckets = Array.from({ length: 64 }, () => 0)
      for (let index = 0; index < 64_000; index++) buckets[Math.floor(Math.random() * 64)]!++
      return buckets
    })
    t.is(counts.length, 64)
    // Five standard deviations of a binomial distribution are 157: exceeded once in a million, for any of the 64.
    for (const count of counts) t.true(Math.abs(count - 1000) < 190, `${count} of 1000`)
  })

  test('a forked worker has the descriptors of a spawned one, and none of its server or its siblings', async (t) => {
    const kinds = (links: string[]) =>
      links.map((link) => link.replace(/\[\d+\]/, '').replace(/\/.*\/(std(out|err))/, '$1')).sort()
    const spawned = makePool(t, { maxWorkers: 1, preload, startMethod: 'spawn' })
    const expected = kinds(await spawned.submit(forked.descriptors))
    const pool = makePool(t, { ...options, maxWorkers: 3 })
    const gate = new Gate(t)
    const held = Array.from({ length: 2 }, () => pool.submit(tasks.hold, gate.path, 0))
    await until('both to run', () => pool.stats().running === 2)
    const count = (links: string[], kind: RegExp) => links.filter((link) => kind.test(link)).length
    const found = kinds(await pool.submit(forked.descriptors))
    for (const kind of [/memfd/, /socket/, /pidfd/])
      t.is(count(found, kind), count(expected, kind), `${kind}: ${found.join(' ')}`)
    gate.open()
    await Promise.all(held)
  })

  for (const [way, exitCode, signal] of [
    ['exit', 3, null],
    ['really', 4, null],
    ['abort', null, 'SIGABRT'],
    ['signal', null, 'SIGKILL'],
    ['listener', 7, null],
    ['error', 0, null],
  ] as const) {
    test(`the end of a forked worker by ${way} reaches the host`, async (t) => {
      const pool = makePool(t, { ...options, maxWorkers: 1, onWorkerDeath: 'isolate' })
      const exits = record(pool, 'workerExit')
      t.truthy(await within(way, pool.submit(forked.end, way).exception(), () => pool.dumpState()))
      await pool.shutdown()
      t.like(exits.at(0), { exitCode, signal })
    })
  }

  test('the death of the server concerns no worker, and the next worker is forked by another one', async (t) => {
    const pool = makePool(t, { ...options, maxWorkers: 2, onWorkerDeath: 'isolate' })
    const gate = new Gate(t)
    const warnings = record(pool, 'warning')
    const running = pool.submit(tasks.hold, gate.path, 0)
    await until('the call to run', () => pool.stats().running === 1)
    const [server] = childrenOf()
    process.kill(server!.pid, 'SIGKILL')
    await until('the server to be gone', () => !isAlive(server!.pid))
    const who = await within('another worker', pool.submit(forked.who), () => pool.dumpState())
    t.not(who.loadedIn, server!.pid)
    t.false(running.done())
    gate.open()
    await running
    t.deepEqual(warnings, [])
    await pool.shutdown()
  })

  test('servers that are killed at any moment after they have forked lose no call', async (t) => {
    const pool = makePool(t, { ...options, maxWorkers: 3, maxTasksPerChild: 3 })
    const killed = new Set<number>()
    pool.on('workerStart', () => {
      const server = childrenOf().find(({ pid }) => !killed.has(pid))
      if (server === undefined) return
      killed.add(server.pid)
      setTimeout(() => isAlive(server.pid) && process.kill(server.pid, 'SIGKILL'), Math.random() * 30)
    })
    const futures = Array.from({ length: 100 }, (_, index) => pool.submit(tasks.add, index, 1))
    const results = await within('all calls', Promise.all(futures), () => pool.dumpState())
    t.deepEqual(
      results,
      Array.from(futures, (_, index) => index + 1),
    )
    t.true(killed.size > 1)
  })

  /** Writes a module after which no process can fork. */
  function unforkable(directory: string): string {
    const path = join(directory, 'busy.mjs')
    writeFileSync(path, "import { createServer } from 'node:net'\ncreateServer().listen(0)\n")
    return path
  }

  test('a server that cannot be forked breaks a pool that asked for it, with all reasons', async (t) => {
    const pool = makePool(t, { startMethod: 'forkserver', preload: [unforkable(tempDirectory(t))] })
    const error = await within('the failure', pool.submit(tasks.add, 1, 2).exception())
    t.true(error instanceof BrokenProcessPool)
    const { cause } = error as BrokenProcessPool
    t.true(cause instanceof ForkUnsafeError)
    t.regex((cause as ForkUnsafeError).reasons.join(), /TCPServerWrap/)
    t.true((error as Error).message.includes('TCPServerWrap'), (error as Error).message)
  })

  test('a module that leaves a file open makes its server refuse, with the name of the file', async (t) => {
    const directory = tempDirectory(t)
    const [module, log] = [join(directory, 'opens.mjs'), join(directory, 'some.log')]
    writeFileSync(module, `import { openSync } from 'node:fs'\nopenSync(${JSON.stringify(log)}, 'a')\n`)
    const pool = makePool(t, { startMethod: 'forkserver', preload: [module] })
    const error = await within('the failure', pool.submit(tasks.add, 1, 2).exception())
    const { reasons } = (error as BrokenProcessPool).cause as ForkUnsafeError
    t.is(reasons.length, 1)
    t.regex(reasons[0]!, /^descriptors are open that a fork would share: \d+ -> \/.*\/some\.log$/)
  })

  for (const [fault, how] of [
    ['kill', /was killed by SIGKILL$/],
    ['fail', /failed with code 1$/],
    ['stop', /did not come to its end within 5000 ms$/],
  ] as const) {
    test(`a server of which a fork does nothing refuses: ${fault}`, async (t) => {
      const binding = await faultsBinding()
      const env = { ...process.env, NAPI_RS_NATIVE_LIBRARY_PATH: binding, MILLRACE_FAULT: `fork-trial:${fault}` }
      const pool = makePool(t, { ...options, env })
      const error = await within('the failure', pool.submit(tasks.add, 1, 2).exception(), () => pool.dumpState())
      const { reasons } = (error as BrokenProcessPool).cause as ForkUnsafeError
      t.is(reasons.length, 1)
      t.regex(reasons[0]!, how)
      t.regex(reasons[0]!, /^a fork of it that only had to/)
      await pool.shutdown()
      t.deepEqual(childrenOf(), [])
    })
  }

  test('a pool that did not ask for it says so, and spawns its workers', async (t) => {
    setStartMethod('forkserver', { force: true })
    t.teardown(() => setStartMethod('spawn', { force: true }))
    const pool = new ProcessPoolExecutor({ maxWorkers: 1, execArgv: [], preload: [unforkable(tempDirectory(t))] })
    t.teardown(() => pool.shutdown({ kill: true }))
    const warnings = record(pool, 'warning')
    t.is(await within('the call', pool.submit(tasks.add, 1, 2)), 3)
    t.is(warnings.length, 1)
    t.true((warnings[0] as unknown) instanceof ForkUnsafeError)
    await pool.shutdown()
  })

  test('a preload module that fails is tried again in a new server, and works once it is repaired', async (t) => {
    const path = join(tempDirectory(t), 'repaired.mjs')
    const dependency = join(tempDirectory(t), 'dependency.mjs')
    writeFileSync(path, `import ${JSON.stringify(dependency)}\n`)
    writeFileSync(dependency, "throw new Error('not yet')\n")
    const pool = makePool(t, { ...options, preload: [path], maxWorkers: 2, onWorkerDeath: 'isolate' })
    const exits = record(pool, 'workerExit')
    const warnings = record(pool, 'warning')
    pool.on('warning', () => writeFileSync(dependency, 'globalThis.repaired = true\n'))
    t.is(
      await within(
        'the call',
        pool.submit(() => (globalThis as any).repaired),
        () => pool.dumpState(),
      ),
      true,
    )
    t.is(warnings.length, 1)
    t.true(warnings[0]!.cause instanceof TaskLoadError)
    t.regex(warnings[0]!.message, /repaired\.mjs could not be loaded: not yet; another attempt is made/)
    t.deepEqual(
      exits.map(({ exitCode, reason }) => [exitCode, reason]),
      [[1, 'failed-start']],
    )
  })

  for (const [way, source, expected] of [
    ['hangs', 'await new Promise(() => setInterval(() => {}, 1000))', /was not ready within startTimeout/],
    ['exits', 'process.exit(3)', /ended before it was ready/],
  ] as const) {
    test(`a preload module that ${way} in the server breaks the pool, which names both`, async (t) => {
      const path = join(tempDirectory(t), `${way}.mjs`)
      writeFileSync(path, source)
      const pool = makePool(t, { ...options, preload: [...preload, path], startTimeout: 2000 })
      const error = await within('the failure', pool.submit(tasks.add, 1, 2).exception(), () => pool.dumpState())
      t.true(error instanceof BrokenProcessPool)
      const { message } = error as Error
      t.regex(message, expected)
      t.regex(message, /its fork server .* while it loaded the preload module file:.*(hangs|exits)\.mjs/)
      await pool.shutdown()
      t.deepEqual(childrenOf(), [])
    })
  }

  test('a server that does not start fails what waits, and leaves nothing', async (t) => {
    const pool = makePool(t, { ...options, execArgv: ['--no-such-option'], stdio: 'ignore' })
    t.true((await within('the failure', pool.submit(tasks.add, 1, 2).exception())) instanceof WorkerSpawnError)
  })
}
