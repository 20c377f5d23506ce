// The starters, as users start: copied, installed from the packed package, run, and tested by their own tests.

import { cpSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { tempDirectory } from './helpers/pool.js'
import { shell, TARBALLS, testTool } from './helpers/tools.js'

/** What a program prints, and whether it then goes on until it is told to end. */
const PRINTS: Record<string, { line: RegExp; serves?: boolean }> = {
  javascript: { line: /^4203 primes below 40000$/m },
  typescript: { line: /^4203 primes below 40000$/m },
  service: { line: /"digest":"[\da-f]{64}"/, serves: true },
}

/** Starts the service, asks it, and ends it by SIGTERM: it has to end by itself then. */
const SERVE = `
import { spawn } from 'node:child_process'
import { once } from 'node:events'
const service = spawn(process.execPath, ['main.js'], { env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] })
const [line] = await once(service.stdout.setEncoding('utf8'), 'data')
console.log(await (await fetch(line.trim())).text())
service.kill('SIGTERM')
const [code] = await once(service, 'exit')
process.exitCode = code ?? 1`

const folders = readdirSync('examples/starters', { withFileTypes: true }).filter((entry) => entry.isDirectory())

for (const { name } of folders) {
  testTool(`the starter ${name} is installed, runs, and passes its tests`, async (t) => {
    const { line, serves = false } = PRINTS[name]!
    const cwd = join(tempDirectory(t), name)
    cpSync(join('examples/starters', name), cwd, {
      recursive: true,
      filter: (path) => !/node_modules|dist$/.test(path),
    })
    const installed = await shell(cwd, `npm install --no-audit --no-fund ${TARBALLS.join(' ')}`)
    t.is(installed.code, 0, installed.errors)
    t.true(existsSync(join(cwd, 'node_modules/millrace/dist/index.js')))
    const ran = await shell(cwd, serves ? `cat > serve.mjs <<'END'\n${SERVE}\nEND\nnode serve.mjs` : 'npm start')
    t.is(ran.code, 0, ran.errors)
    t.regex(ran.out, line)
    const tested = await shell(cwd, 'npm test')
    t.is(tested.code, 0, `${tested.out}\n${tested.errors}`)
  })
}
