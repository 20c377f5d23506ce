// A service on node:http whose computations run in worker processes.
//
//   node examples/recipes/service.js
//   curl 'localhost:8080/primes?below=100000'
//   curl localhost:8080/metrics
//
// What it chose, and why:
//
// - maxWorkers: the default, which is the processors within the CPU quota of the container. The workers compute, this
//   process only reads and answers.
// - maxQueue: a few calls. More would wait longer than their clients: a client that is refused at once can try another
//   instance. 503 with Retry-After tells it to.
// - timeout: for each call, from the moment when a worker claims it. Without one, a single request can hold a worker
//   for ever. The client gets 504.
// - signal: a client that disconnects cancels its call, running or not. Nobody computes for nobody.
// - grace: a call that is stopped may end by itself within this time, and then its worker is kept. The task asks by
//   throwIfStopped(). Without a grace each stop costs a worker, and the next call waits for another one to start.
// - hardMemoryLimit: a request that eats memory costs itself and its worker, before the limit of the container costs
//   the whole service. maxMemoryPerWorker: a worker that leaks is replaced between calls, which fails no call.
// - SIGTERM: refuse new work, finish what was accepted, then end. Calls that are not finished after DRAIN_MS are killed
//   and answered: the service manager would kill everything a little later. deploy/ has the settings of such managers.

import { createServer } from 'node:http'
import {
  CancelledError,
  ProcessPoolExecutor,
  QueueFullError,
  ShutdownError,
  TaskTimeoutError,
  WorkerTerminatedError,
} from 'millrace'
import { metrics } from './metrics.js'
import { countPrimes } from './service-tasks.js'

const {
  PORT = '8080',
  WORKERS,
  MAX_QUEUE = '8',
  TIME_LIMIT_MS = '5000',
  GRACE_MS = '100',
  DRAIN_MS = '20000',
  WORKER_MEMORY_MB = '256',
} = process.env

const timeout = Number(TIME_LIMIT_MS)
const grace = Number(GRACE_MS)
const memory = Number(WORKER_MEMORY_MB) * 2 ** 20
const pool = new ProcessPoolExecutor({
  maxWorkers: WORKERS === undefined ? undefined : Number(WORKERS),
  maxQueue: Number(MAX_QUEUE),
  hardMemoryLimit: memory,
  maxMemoryPerWorker: memory * 0.75,
  name: 'service',
})
pool.on('warning', (error) => console.error(error.message))

let draining = false

const server = createServer(async (request, response) => {
  const [path, query] = (request.url ?? '/').split('?', 2)
  if (path === '/metrics') {
    answer(response, 200, metrics(pool.stats()))
  } else if (path === '/ready') {
    answer(response, draining ? 503 : 200, '')
  } else if (path === '/primes') {
    const below = Number(new URLSearchParams(query).get('below'))
    if (!Number.isSafeInteger(below)) answer(response, 400, 'below: a whole number\n')
    else await compute(response, below)
  } else {
    answer(response, 404, '')
  }
})

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} below
 */
async function compute(response, below) {
  const gone = new AbortController()
  // Comes after each response as well: then the call is over, and the abort does nothing.
  response.once('close', () => gone.abort())
  try {
    const count = await pool.run(countPrimes, [below], { timeout, grace, signal: gone.signal })
    answer(response, 200, `${count}\n`)
  } catch (error) {
    if (error instanceof CancelledError) return
    if ([QueueFullError, ShutdownError, WorkerTerminatedError].some((kind) => error instanceof kind)) {
      response.setHeader('Retry-After', '1')
      answer(response, 503, 'busy\n')
    } else if (error instanceof TaskTimeoutError) {
      answer(response, 504, 'took too long\n')
    } else {
      // A mistake of the task, or the death of its worker. The message is for the log, not for the client.
      console.error(error)
      answer(response, 500, 'failed\n')
    }
  }
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} text
 */
function answer(response, status, text) {
  // While the service ends, a connection ends with its response.
  if (draining) response.setHeader('Connection', 'close')
  response.statusCode = status
  response.setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  response.end(text)
}

/** @param {NodeJS.Signals} signal */
async function drain(signal) {
  draining = true
  const { running, queued } = pool.stats()
  console.log(`${signal}: ${running + queued} calls to finish`)
  const closed = new Promise((resolve) => server.close(resolve))
  await pool.shutdown({ timeout: Number(DRAIN_MS), kill: true })
  // The last responses are on their way. Clients that do not read them, or send half a request, are not waited for.
  setTimeout(() => server.closeAllConnections(), 1000).unref()
  await closed
  console.log('finished')
}

// Once: a second signal ends the process at once.
process.once('SIGTERM', drain)
process.once('SIGINT', drain)

server.listen(Number(PORT), () => {
  const address = server.address()
  console.log(`listening on port ${typeof address === 'object' && address !== null ? address.port : address}`)
})
