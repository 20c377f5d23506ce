import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { tasks } from './jobs.js'
import { makeService } from './service.js'

const { server, close } = makeService()
let base = ''
before(async () => {
  await new Promise((resolve) => void server.listen(0, () => resolve(undefined)))
  const address = server.address()
  assert(address !== null && typeof address === 'object')
  base = `http://localhost:${address.port}`
})
after(close)

test('answers with the digest of a worker', async () => {
  const response = await fetch(`${base}/digest?text=hello&rounds=3`)
  assert.equal(response.status, 200)
  assert.deepEqual(await response.json(), { digest: tasks.digest('hello', 3) })
})

test('refuses what it does not understand', async () => {
  assert.equal((await fetch(`${base}/digest?rounds=none`)).status, 400)
  assert.equal((await fetch(`${base}/other`)).status, 404)
})
