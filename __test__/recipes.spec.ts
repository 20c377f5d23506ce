// The recipes: each one runs as its reader would run it, and does what its first comment says.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createConnection } from 'node:net'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { tempDirectory } from './helpers/pool.js'
import { isAlive, workersOf } from './helpers/processes.mjs'
import { run } from './helpers/programs.js'
import { until, within } from './helpers/waiting.js'

const recipe = (name: string) => resolve('examples/recipes', name)
const node = (...args: string[]) => run(process.execPath, args, { cwd: resolve('.') })

/** So many numbers take for ever. */
const ENDLESS = Number.MAX_SAFE_INTEGER

class Service {
  out = ''
  readonly ended: Promise<number | NodeJS.Signals>
  readonly #child: ChildProcess

  constructor(t: ExecutionContext, env: Record<string, string>) {
    const { NODE_OPTIONS: _, ...rest } = process.env
    // In a process group of its own, as a service manager starts it.
    this.#child = spawn(process.execPath, [recipe('service.js')], {
      env: { ...rest, PORT: '0', WORKERS: '1', TIME_LIMIT_MS: '600000', GRACE_MS: '60000', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const collect = (data: unknown) => (this.out += String(data))
    this.#child.stdout!.on('data', collect)
    this.#child.stderr!.on('data', collect)
    this.ended = new Promise((done) => this.#child.once('close', (code, signal) => done(code ?? signal!)))
    t.teardown(() => {
      if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
    })
  }

  get pid(): number {
    return this.#child.pid!
  }

  get port(): string {
    return /listening on port (\d+)/.exec(this.out)?.[1] ?? ''
  }

  get(path: string, signal?: AbortSignal): Promise<Response> {
    return fetch(`http://localhost:${this.port}${path}`, signal === undefined ? {} : { signal })
  }

  /** The value of a metric. */
  async metric(name: string): Promise<number> {
    const text = await (await this.get('/metrics')).text()
    const line = text.split('\n').find((each) => each.startsWith(`${name} `))
    return Number(line?.slice(name.length))
  }

  async untilMetric(name: string, value: number): Promise<void> {
    let last: number | undefined
    const look = async () => {
      while (last !== value) last = await this.metric(name)
    }
    await within(`${name} ${value}`, look(), () => `it is ${last}\n${this.out}`)
  }
}

async function startService(t: ExecutionContext, env: Record<string, string> = {}): Promise<Service> {
  const service = new Service(t, env)
  await until(
    'the service listens',
    () => service.port !== '',
    () => service.out,
  )
  return service
}

test.serial('the service answers, and tells Prometheus of it', async (t) => {
  const service = await startService(t)
  t.is(await (await service.get('/primes?below=100')).text(), '25\n')
  t.is((await service.get('/primes?below=many')).status, 400)
  t.is((await service.get('//')).status, 404)
  t.is((await service.get('/ready')).status, 200)
  const metrics = await service.get('/metrics')
  t.is(metrics.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  for (const line of (await metrics.text()).trimEnd().split('\n')) {
    t.regex(line, /^(?:# (?:HELP|TYPE) [a-z_]+ .+|[a-z_]+(?:\{[a-z]+="[^"]+"\})? (?:\d+|NaN))$/)
  }
  t.is(await service.metric('millrace_calls_total{outcome="completed"}'), 1)
  t.is(await service.metric('millrace_workers{state="idle"}'), 1)
})

test.serial('a service that is full refuses with 503, and says when to come again', async (t) => {
  const service = await startService(t, { MAX_QUEUE: '0' })
  const gone = new AbortController()
  const first = service.get(`/primes?below=${ENDLESS}`, gone.signal)
  await service.untilMetric('millrace_calls_running', 1)
  const refused = await service.get('/primes?below=100')
  t.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
  gone.abort()
  t.is(await first.catch((error: Error) => error.name), 'AbortError')
})

test.serial('a call that takes too long gets 504, and its worker is kept', async (t) => {
  const service = await startService(t, { TIME_LIMIT_MS: '200' })
  t.is((await service.get(`/primes?below=${ENDLESS}`)).status, 504)
  t.is(await (await service.get('/primes?below=100')).text(), '25\n')
  t.is(await service.metric('millrace_worker_restarts_total'), 0)
})

test.serial('a client that disconnects cancels its call, and the worker is kept', async (t) => {
  const service = await startService(t)
  const gone = new AbortController()
  const first = service.get(`/primes?below=${ENDLESS}`, gone.signal)
  await service.untilMetric('millrace_calls_running', 1)
  gone.abort()
  t.is(await first.catch((error: Error) => error.name), 'AbortError')
  await service.untilMetric('millrace_calls_total{outcome="cancelled"}', 1)
  t.is(await (await service.get('/primes?below=100')).text(), '25\n')
  t.is(await service.metric('millrace_worker_restarts_total'), 0)
})

for (const [signal, whom, pids] of [
  ['SIGTERM', 'the service alone', ({ pid }: Service) => [pid]],
  ['SIGTERM', 'its whole process group', ({ pid }: Service) => [-pid]],
  [
    'SIGTERM',
    'the service and its workers, as from systemd',
    ({ pid }: Service, workers: number[]) => [pid, ...workers],
  ],
  ['SIGINT', 'its whole process group', ({ pid }: Service) => [-pid]],
] as const) {
  test.serial(`${signal} to ${whom}: the service finishes its calls, takes no new ones, and ends`, async (t) => {
    const service = await startService(t)
    t.is(await (await service.get('/primes?below=10')).text(), '4\n')
    const workers = workersOf(service.pid).map(({ pid }) => pid)
    t.is(workers.length, 1)
    // A worker that is stopped holds the calls until the service has heard the signal.
    process.kill(workers[0]!, 'SIGSTOP')
    const calls = [service.get('/primes?below=100000'), service.get('/primes?below=100')]
    await service.untilMetric('millrace_calls_waiting', 2)
    for (const pid of pids(service, workers)) process.kill(pid, signal)
    const heard = () => service.out.includes(`${signal}: 2 calls to finish`)
    await until('the service has heard the signal', heard, () => service.out)
    await t.throwsAsync(service.get('/ready'), { name: 'TypeError' }, 'it listens no more')
    if (isAlive(workers[0]!)) process.kill(workers[0]!, 'SIGCONT')
    t.is(await (await calls[0]!).text(), '9592\n')
    t.is(await (await calls[1]!).text(), '25\n')
    t.is(await within('the end of the service', service.ended, () => service.out), 0)
    t.true(service.out.includes('finished'))
    t.deepEqual(workers.filter(isAlive), [])
  })
}

test.serial(
  'calls that are not finished in time are answered, and neither they nor slow clients keep the service',
  async (t) => {
    const service = await startService(t, { DRAIN_MS: '100', GRACE_MS: '100' })
    const socket = createConnection(Number(service.port))
    socket.on('error', () => {})
    socket.write('GET /primes?below=1')
    t.teardown(() => socket.destroy())
    const endless = service.get(`/primes?below=${ENDLESS}`)
    await service.untilMetric('millrace_calls_running', 1)
    process.kill(service.pid, 'SIGTERM')
    t.is((await endless).status, 503)
    t.is(await within('the end of the service', service.ended, () => service.out), 0)
  },
)

test.serial('a batch over files gives a table, names what failed, and repeats calls whose worker died', async (t) => {
  const folder = tempDirectory(t)
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text)
  for (let n = 0; n < 30; n++) write(`good-${n}.json`, JSON.stringify(Array.from({ length: n }, (_, id) => ({ id }))))
  write('broken.json', '[1,')
  write('object.json', '{}')
  write('huge.json', `[${'[],'.repeat(2_000_000)}[]]`)
  write('passed over.txt', '')
  mkdirSync(join(folder, 'folder.json'))

  const { code, out, errors } = await node(recipe('batch-files.js'), folder, '--workers', '2', '--heap', '32')
  t.is(code, 1, errors)
  t.regex(out, /^34 files, 4 failed$/m)
  t.regex(out, /│ good-29.json *│ 29 *│ 281 *│/)
  t.regex(errors, /^broken\.json: SyntaxError: /m)
  t.regex(errors, /^object\.json: TypeError: the file is no array of records$/m)
  t.regex(errors, /^folder\.json: Error: EISDIR/m)
  t.regex(errors, /^huge\.json: WorkerDiedError: .*heap out of memory/m)
  t.is(errors.match(/^FATAL ERROR: .*heap out of memory/gm)?.length, 3, 'attempts')
})

test.serial('all workers of the warm pool are ready before the first request, each with its own model', async (t) => {
  const { code, out, errors } = await node(recipe('warm-pool.js'), '--workers', '3')
  t.is(code, 0, errors)
  const [warm, ...corrections] = out.split('\n')
  t.regex(warm!, /^3 workers are warm after \d+ ms$/)
  t.deepEqual(
    corrections.map((line) => line.split(/ +/).slice(0, 2)),
    [
      ['wroker', 'worker'],
      ['memry', 'memory'],
      ['proces', 'process'],
      ['future', 'future'],
      ['tiemout', 'timeout'],
    ],
  )
})

test.serial('a warm pool whose model cannot be loaded says why, and does not start', async (t) => {
  const empty = join(tempDirectory(t), 'book.txt')
  writeFileSync(empty, '')
  const { code, out, errors } = await node(recipe('warm-pool.js'), '--workers', '1', empty)
  t.deepEqual([code, out], [1, ''])
  t.regex(errors, /BrokenProcessPool: .*the books have no words/)
})

/** 50,000 records, of which every thousandth is wrong, and the numbers of the wrong ones. */
function writeRecords(path: string): void {
  const mistakes = ['{"id": "cut', '{"amount":1}', '{"id":"7","amount":"1"}', '{"id":"8","amount":1,"time":"soon"}', '']
  const records = Array.from({ length: 50_000 }, (_, n) =>
    n % 1000 === 500
      ? mistakes[((n / 500) % mistakes.length) | 0]
      : JSON.stringify({ id: `r${n}`, time: '2001-02-03T04:05:06Z', amount: n }),
  )
  writeFileSync(path, records.join('\n'))
}

/** The sum of all amounts but those of the wrong records. */
const SUM = (49_999 * 50_000) / 2 - Array.from({ length: 50 }, (_, n) => n * 1000 + 500).reduce((a, b) => a + b)

test.serial('a stream goes into a database, and its wrong records into a file with their reasons', async (t) => {
  const folder = tempDirectory(t)
  const input = join(folder, 'in.ndjson')
  writeRecords(input)
  const { code, out, errors } = await node(recipe('stream-to-database.js'), input, join(folder, 'out'))
  t.is(code, 0, errors)
  t.is(out.split('\n')[0], `50000 lines, 50000 of them now: 49950 rows, 50 dead letters, sum ${SUM}`)
  const letters = readFileSync(join(folder, 'out/dead-letters.ndjson'), 'utf8').trimEnd().split('\n')
  const read = letters.map((letter) => JSON.parse(letter) as { line: number; text: string; reason: string })
  t.deepEqual(
    read.map(({ line }) => line),
    Array.from({ length: 50 }, (_, n) => n * 1000 + 500),
  )
  t.deepEqual(read[1], {
    line: 1500,
    text: '{"id":"8","amount":1,"time":"soon"}',
    reason: 'RangeError: time is no time',
  })
  t.true(read.every(({ reason }) => /^(?:Type|Range|Syntax)Error: ./.test(reason)))
})

test.serial('a load that is stopped or killed in the middle goes on, and ends as one that was not', async (t) => {
  const folder = tempDirectory(t)
  const input = join(folder, 'in.ndjson')
  writeRecords(input)
  const { NODE_OPTIONS: _, ...env } = process.env
  for (const signal of ['SIGKILL', 'SIGINT', 'SIGKILL', 'SIGTERM'] as const) {
    const args = [recipe('stream-to-database.js'), input, join(folder, 'out')]
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (data) => (errors += String(data)))
    const ended = new Promise((done) => child.once('exit', done))
    await until(
      'a transaction',
      () => /^\d+ lines$/m.test(errors) || child.exitCode !== null,
      () => errors,
    )
    child.kill(signal)
    await within('the end of the load', ended, () => errors)
    t.regex(errors, /^\d+ lines$/m)
  }
  const { code, out, errors } = await node(recipe('stream-to-database.js'), input, join(folder, 'out'))
  t.is(code, 0, errors)
  t.regex(out, new RegExp(`^50000 lines, \\d+ of them now: 49950 rows, 50 dead letters, sum ${SUM}$`, 'm'))
  const letters = readFileSync(join(folder, 'out/dead-letters.ndjson'), 'utf8').trimEnd().split('\n')
  t.deepEqual(
    letters.map((letter) => (JSON.parse(letter) as { line: number }).line),
    Array.from({ length: 50 }, (_unused, n) => n * 1000 + 500),
  )
})

const deployed = (name: string) => readFileSync(recipe(`deploy/${name}`), 'utf8')
const numberIn = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1])

test.serial('each service manager waits longer than the service takes to drain', (t) => {
  const unit = deployed('service.service')
  t.true(numberIn(unit, /^TimeoutStopSec=(\d+)$/m) * 1000 > numberIn(unit, /DRAIN_MS=(\d+)/))
  const image = deployed('Dockerfile')
  t.true(numberIn(image, /--stop-timeout (\d+)/) * 1000 > numberIn(image, /DRAIN_MS=(\d+)/))
  const pod = deployed('kubernetes.yaml')
  const drain = numberIn(pod, /name: DRAIN_MS\n +value: '(\d+)'/) + numberIn(pod, /'sleep', '(\d+)'/) * 1000
  t.true(numberIn(pod, /^ +terminationGracePeriodSeconds: (\d+)$/m) * 1000 > drain)
})

test.serial('each service manager starts Node itself, and signals only Node', (t) => {
  t.regex(deployed('service.service'), /^ExecStart=\/usr\/bin\/node .*service\.js$/m)
  t.regex(deployed('service.service'), /^KillMode=mixed$/m)
  t.regex(deployed('Dockerfile'), /^CMD \["node", "service\.js"\]$/m)
  t.notRegex(deployed('kubernetes.yaml'), /^ +command: \['(?!sleep)/m)
})

test.serial('the image has all files of the service', (t) => {
  const copied = /^COPY (service.*) \.\/$/m.exec(deployed('Dockerfile'))?.[1]?.split(' ') ?? []
  const imported = copied.flatMap((name) =>
    [...readFileSync(recipe(name), 'utf8').matchAll(/from '\.\/(.*)'/g)].map(([, file]) => file!),
  )
  t.deepEqual([...new Set(['service.js', ...imported])].sort(), copied.toSorted())
})

test.serial('systemd accepts the unit', async (t) => {
  try {
    await promisify(execFile)('systemd-analyze', ['verify', recipe('deploy/service.service')])
  } catch (error) {
    // Elsewhere there is no systemd, or no Node where the unit has it.
    const { code, stderr = '' } = error as { code: unknown; stderr?: string }
    if (code !== 'ENOENT' && !stderr.includes('is not executable')) throw error
    t.log('not checked here')
  }
  t.pass()
})
