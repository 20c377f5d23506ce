// The built site: its links lead somewhere, and its first page and its search work in a real browser.

import assert from 'node:assert/strict'
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize, posix } from 'node:path'
import { after, before, test } from 'node:test'

import { chromium } from 'playwright-core'

const built = join(import.meta.dirname, '../build/site')
const screenshots = join(import.meta.dirname, '../build/screenshots')
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium'

const TYPES = /** @type {Record<string, string>} */ ({
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
})

/** The file of a path of the site; undefined if there is none. @param {string} path */
function fileOf(path) {
  const base = join(built, normalize(decodeURIComponent(path)))
  return [base, `${base}.html`, join(base, 'index.html')].find((file) => existsSync(file) && statSync(file).isFile())
}

const server = createServer(({ url = '/' }, response) => {
  const file = fileOf(new URL(url, 'http://localhost').pathname)
  if (file === undefined) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
  createReadStream(file).pipe(response)
})

/** @type {import('playwright-core').Browser} */
let browser
let origin = ''

before(async () => {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  origin = `http://127.0.0.1:${address.port}`
  browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  mkdirSync(screenshots, { recursive: true })
})

after(async () => {
  await browser?.close()
  server.close()
})

test('links lead to pages, and to headings of these pages', () => {
  const pages = new Map(
    readdirSync(built, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.html') && name !== '404.html')
      .map((name) => [join(built, name), readFileSync(join(built, name), 'utf8')]),
  )
  const dead = []
  for (const [file, html] of pages) {
    const here = `/${posix.relative(built, file)}`
    for (const [, href = ''] of html.matchAll(/<a [^>]*href="([^"]*)"/g)) {
      const { origin: host, pathname, hash } = new URL(href.replaceAll('&amp;', '&'), `http://site${here}`)
      if (host !== 'http://site') continue
      const target = fileOf(pathname)
      const id = decodeURIComponent(hash.slice(1))
      const isThere = target !== undefined && (id === '' || pages.get(target)?.includes(`id="${id}"`) !== false)
      if (!isThere) dead.push(`${here}: ${href}`)
    }
  }
  assert.deepEqual([...new Set(dead)], [])
})

/** A page of the browser, which fails the test when the site's own code fails. @param {string} path */
async function open(path, viewport = { width: 1280, height: 900 }) {
  const page = await browser.newPage({ viewport })
  const problems = /** @type {string[]} */ ([])
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) problems.push(`asked ${request.url()}`)
  })
  await page.goto(origin + path, { waitUntil: 'networkidle' })
  return { page, problems }
}

test('the first page says what this is, and asks no other host', async () => {
  for (const [name, viewport] of Object.entries({
    wide: { width: 1280, height: 900 },
    phone: { width: 390, height: 844 },
  })) {
    const { page, problems } = await open('/', viewport)
    assert.match(await page.locator('.VPHero').innerText(), /Millrace[^]*process pool for Node\.js/)
    assert.ok((await page.locator('.VPFeature').count()) > 3)
    await page.screenshot({ path: join(screenshots, `first-page-${name}.png`) })
    assert.deepEqual(problems, [])
    await page.close()
  }
})

test('a search finds an option, and leads to its page', async () => {
  const { page, problems } = await open('/')
  await page.locator('#local-search button').first().click()
  await page.locator('#localsearch-input').fill('taskTimeout')
  const results = page.locator('.VPLocalSearchBox .result')
  await results.first().waitFor()
  await page.screenshot({ path: join(screenshots, 'search.png') })
  await results.first().click()
  await page.waitForURL((url) => url.pathname !== '/')
  await page.locator('main').getByText('taskTimeout').first().waitFor()
  assert.deepEqual(problems, [])
  await page.close()
})

test('each option of a pool is in the reference, with what it means', async () => {
  const { page } = await open('/api/millrace/interfaces/ProcessPoolOptions')
  const text = await page.locator('main').innerText()
  for (const option of ['maxWorkers', 'startMethod', 'onWorkerDeath', 'hardMemoryLimit', 'maxQueue', 'initializer']) {
    assert.ok(text.includes(option), option)
  }
  assert.match(text, /Default/)
  await page.close()
})
