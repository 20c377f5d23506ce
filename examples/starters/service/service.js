// The HTTP server: GET /digest?text=…&rounds=… computes in a worker. The event loop stays free for other requests.

import { createServer } from 'node:http'
import { ProcessPoolExecutor, QueueFullError, TaskTimeoutError } from 'millrace'
import { tasks } from './jobs.js'

const MOST_ROUNDS = 1_000_000

/** Makes the server and its pool. `close()` lets running requests finish. */
export function makeService() {
  const pool = new ProcessPoolExecutor({ maxQueue: 100 })

  /** @param {string} url */
  const answer = async (url) => {
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    const rounds = Number(searchParams.get('rounds') ?? 1)
    if (pathname !== '/digest') return { status: 404, body: { error: 'only /digest is here' } }
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS) {
      return { status: 400, body: { error: `rounds has to be a whole number up to ${MOST_ROUNDS}` } }
    }
    try {
      const digest = await pool.run(tasks.digest, [searchParams.get('text') ?? '', rounds], { timeout: 10_000 })
      return { status: 200, body: { digest } }
    } catch (error) {
      if (error instanceof QueueFullError) return { status: 503, body: { error: 'busy, come back later' } }
      if (error instanceof TaskTimeoutError) return { status: 504, body: { error: 'that took too long' } }
      console.error(error)
      return { status: 500, body: { error: 'this has failed' } }
    }
  }

  const server = createServer(async (request, response) => {
    const { status, body } = await answer(request.url ?? '/')
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })

  const close = async () => {
    await new Promise((resolve) => {
      server.close(resolve)
      server.closeIdleConnections()
    })
    await pool.shutdown()
  }
  return { server, close }
}
