// Programs whose workers would run the program again, in place of the worker's entry: none may start a chain of
// processes.

import { join } from 'node:path'
import anyTest, { type ExecutionContext } from 'ava'
import { getAllStartMethods, ProcessPoolExecutor } from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { makePool } from './helpers/pool.js'
import { counted, countOf, type Ended, makeFolder, run, writeFile } from './helpers/programs.js'

const test = anyTest.serial

/** Makes a pool of one worker, and prints a call's outcome: the value, or the names of the error and its causes. */
const USE = `
const names = (error) => error ? [error.name, ...names(error.cause)] : []
async function use(options) {
  try {
    const pool = new ProcessPoolExecutor({ maxWorkers: 1, startTimeout: 20_000, ...options })
    console.log('result', await pool.submit((x) => x, 42).finally(() => pool.shutdown({ kill: true })))
  } catch (error) { console.log('error', names(error).join(' < ')) }
}
`
const IMPORT = "const { ProcessPoolExecutor } = await import('millrace')\n"

for (const flags of [['--eval='], ['--eval', ''], ['-e', ''], ['--print', ''], ['-p', ''], ['-pe', '']]) {
  test(`a program given by ${flags[0]} has workers that do not run it`, async (t) => {
    const folder = makeFolder(t, {})
    const count = join(folder, 'count')
    const script = `${counted(count)}; import('millrace').then(({ ProcessPoolExecutor }) => { ${USE}; return use({}) })`
    const args = flags.length === 1 ? [flags[0] + script] : [flags[0]!, script]
    const { out, errors } = await run(process.execPath, args, { cwd: folder })
    t.regex(out, /^result 42$/m, errors)
    t.is(countOf(count), 1)
  })
}

test('a program in a snapshot has workers that do not run it', async (t) => {
  const folder = makeFolder(t, {})
  const count = join(folder, 'count')
  const load = `require('node:module').createRequire(${JSON.stringify(join(folder, 'x.js'))})('millrace')`
  const script = `${counted(count)}; const { ProcessPoolExecutor } = ${load}; ${USE}; use({})`
  writeFile(join(folder, 'main.cjs'), `require('v8').startupSnapshot.setDeserializeMainFunction(() => { ${script} })`)
  const snapshot = ['--snapshot-blob', 'program.blob']
  const built = await run(process.execPath, [...snapshot, '--build-snapshot', 'main.cjs'], { cwd: folder })
  t.is(built.code, 0, built.errors)
  for (const [args, env] of [
    [snapshot, {}],
    [['--snapshot-blob=program.blob'], {}],
    [[], { NODE_OPTIONS: '--snapshot-blob=program.blob' }],
  ] as const) {
    const { out, errors } = await run(process.execPath, [...args], { cwd: folder, env })
    t.is(out, 'result 42', errors)
  }
  t.is(countOf(count), 3)
})

test('execArgv with which Node runs no script is refused', (t) => {
  for (const option of ['-e', '--eval=0', '-p', '--print', '-pe', '--test', '--run=x', '--snapshot-blob', '-c']) {
    const error = t.throws(
      () => new ProcessPoolExecutor({ execArgv: [option, '0'] }),
      { instanceOf: TypeError },
      option,
    )
    t.is((error as NodeJS.ErrnoException).code, 'ERR_INVALID_ARG_VALUE')
    t.true(error?.message.includes('options.execArgv'))
  }
  t.throws(() => new ProcessPoolExecutor({ execArgv: ['--snapshot_blob=x'] }), { code: 'ERR_INVALID_ARG_VALUE' })
})

/** Runs a program whose `process.execPath`, and APP, is a script that runs the program. */
async function runWrapped(
  t: ExecutionContext,
  script: (node: string, main: string) => string,
  options = '{ execPath: APP }',
) {
  const folder = makeFolder(t, {})
  const [count, app, main] = ['count', 'app', 'main.mjs'].map((name) => join(folder, name)) as [string, string, string]
  writeFile(app, script(process.execPath, main))
  const path = `const APP = ${JSON.stringify(app)}\nObject.defineProperty(process, 'execPath', { value: APP })\n`
  writeFile(main, counted(count) + path + IMPORT + USE + `await use(${options})`)
  const ended: Ended = await run(app, [], { cwd: folder })
  return { ...ended, count: countOf(count) }
}

// Each keeps another mark of a started process from the program.
const wrappers: Record<string, (node: string, main: string) => string> = {
  'passes everything on': (node, main) => `#!/bin/sh\nexec '${node}' '${main}' "$@"\n`,
  'passes no arguments on': (node, main) => `#!/bin/sh\nexec '${node}' '${main}'\n`,
  'passes no environment on': (node, main) => `#!/bin/sh\nexec env -i '${node}' '${main}' "$@"\n`,
  'stays between': (node, main) => `#!/bin/sh\n'${node}' '${main}' "$@"\nexit $?\n`,
  'passes no descriptors and no arguments on': (node, main) =>
    `#!${node}\nconst { status } = require('child_process').spawnSync('${node}', ['${main}'], { stdio: 'inherit' })\n` +
    'process.exit(status)\n',
}
for (const [what, script] of Object.entries(wrappers)) {
  test(`an executable that runs the program again and ${what} is found out`, async (t) => {
    const { out, errors, count } = await runWrapped(t, script)
    t.regex(out, /^error BrokenProcessPool < UnsupportedPlatformError$/m, errors)
    t.is(out.split('\n').length, 1, 'only the first process has come so far')
    t.true(count > 1 && count <= 4, `${count} processes`)
    t.regex(errors, /option execPath/)
  })
}

if (process.platform === 'linux') {
  const bare = (node: string, main: string) => `#!/bin/sh\nexec env -i '${node}' '${main}'\n`

  for (const segment of ['memfd', 'shm']) {
    test(`an executable that passes descriptors only on is found out by them: ${segment}`, async (t) => {
      const options = `(process.env.MILLRACE_SEGMENT = '${segment}', { execPath: APP })`
      const { out, errors, count } = await runWrapped(t, bare, options)
      t.regex(out, /^error BrokenProcessPool < UnsupportedPlatformError$/m, errors)
      t.true(count <= 4, `${count} processes`)
    })
  }

  for (const [what, script] of Object.entries({ ...wrappers, 'passes descriptors only on': bare })) {
    test(`workers run by the executable of this process, though process.execPath ${what}`, async (t) => {
      const { out, errors, count } = await runWrapped(t, script, '{}')
      t.is(out, 'result 42', errors)
      t.is(count, 1)
    })
  }

  if (getAllStartMethods().includes('forkserver')) {
    for (const what of [
      'passes everything on',
      'passes no arguments on',
      'passes no environment on',
      'bare',
    ] as const) {
      test(`a fork server that runs the program again is found out: ${what}`, async (t) => {
        const script = what === 'bare' ? bare : wrappers[what]!
        const { out, errors, count } = await runWrapped(t, script, "{ execPath: APP, startMethod: 'forkserver' }")
        t.is(out, 'error WorkerSpawnError < Error', errors)
        t.true(count <= 4, `${count} processes`)
        t.regex(errors, /option execPath/)
      })
    }
  }
}

test('the option env does not take the mark from workers, and tasks do not see it', async (t) => {
  const script = (node: string, main: string) => `#!/bin/sh\nexec '${node}' '${main}'\n`
  const options = "{ execPath: APP, env: { PATH: process.env.PATH, MILLRACE_ENTRY: '' } }"
  const { out, errors, count } = await runWrapped(t, script, options)
  t.regex(out, /^error BrokenProcessPool < UnsupportedPlatformError$/m, errors)
  t.true(count <= 4, `${count} processes`)
  const pool = makePool(t, { maxWorkers: 1, env: { MILLRACE_ENTRY: 'mine' } })
  t.is(await pool.submit(() => process.env.MILLRACE_ENTRY), undefined)
})

test('a thread with an environment of its own does not start a chain', async (t) => {
  const folder = makeFolder(t, {})
  const [count, app, main] = ['count', 'app', 'main.mjs'].map((name) => join(folder, name)) as [string, string, string]
  writeFile(app, `#!/bin/sh\nexec '${process.execPath}' '${main}'\n`)
  writeFile(
    main,
    `import { isMainThread, Worker } from 'node:worker_threads'
if (isMainThread) {
  ${counted(count)}
  new Worker(new URL(import.meta.url), { env: { PATH: process.env.PATH }, argv: [] })
} else {
  ${IMPORT}${USE}
  await use({ execPath: ${JSON.stringify(app)} })
}`,
  )
  const { out, errors } = await run(app, [], { cwd: folder })
  t.regex(out, /^error BrokenProcessPool < UnsupportedPlatformError$/m, errors)
  t.true(countOf(count) <= 4, `${countOf(count)} processes`)
})

test('with the option execPath such a program has workers', async (t) => {
  const { out, errors, count } = await runWrapped(
    t,
    wrappers['passes no arguments on']!,
    `{ execPath: '${process.execPath}' }`,
  )
  t.is(out, 'result 42', errors)
  t.is(count, 1)
})

test('a packed program is refused, unless it names an executable', async (t) => {
  for (const pretence of [
    'process.pkg = {}',
    "Object.defineProperty(process.versions, 'electron', { value: '40.0.0' })",
    "require('node:module').syncBuiltinESMExports(require('node:sea').isSea = () => true)",
  ]) {
    const program = `const { ProcessPoolExecutor } = await import('millrace')\n${USE}\nawait use({})\nawait use({ execPath: process.execPath })`
    const folder = makeFolder(t, { 'pretend.cjs': `try { ${pretence} } catch {}`, 'main.mjs': program })
    const { out, errors } = await run(process.execPath, ['-r', './pretend.cjs', 'main.mjs'], { cwd: folder })
    t.is(out, 'error UnsupportedPlatformError\nresult 42', `${pretence} ${errors}`)
  }
})

test('Electron starts workers if it runs as Node', async (t) => {
  const pretend = "Object.defineProperty(process.versions, 'electron', { value: '40.0.0' })\n"
  const folder = makeFolder(t, { 'main.mjs': `${pretend}${IMPORT}${USE}\nawait use({})\nawait use({ env: {} })` })
  const { out } = await run(process.execPath, ['main.mjs'], { cwd: folder, env: { ELECTRON_RUN_AS_NODE: '1' } })
  t.is(out, 'result 42\nerror UnsupportedPlatformError')
})

test('a module of --require that uses a pool in each worker starts no chain', async (t) => {
  const folder = makeFolder(t, {})
  const count = join(folder, 'count')
  const use = "import('millrace').then(async ({ ProcessPoolExecutor, isWorker }) => {"
  writeFile(join(folder, 'hook.cjs'), `${counted(count)}${use}${USE}; await use({}) })`)
  writeFile(join(folder, 'main.mjs'), '')
  const { out, errors } = await run(process.execPath, ['-r', './hook.cjs', 'main.mjs'], { cwd: folder })
  t.regex(out, /result 42|error BrokenProcessPool/, errors)
  t.true(countOf(count) <= 4, `${countOf(count)} processes`)
})

test('a pool that a module of --import makes in a worker works once the worker runs calls', async (t) => {
  const folder = makeFolder(t, {
    'hook.mjs':
      "import { ProcessPoolExecutor } from 'millrace'\nglobalThis.POOL = new ProcessPoolExecutor({ maxWorkers: 1 })",
    'main.mjs': `${IMPORT}${USE}
const pool = new ProcessPoolExecutor({ maxWorkers: 1 })
const nested = async () => {
  const value = await globalThis.POOL.submit((x) => x, 42)
  await globalThis.POOL.shutdown()
  return value
}
console.log(await pool.submit(nested), await POOL.submit((x) => x, 7))
await Promise.all([pool.shutdown(), POOL.shutdown()])`,
  })
  const { out, errors } = await run(process.execPath, ['--import', './hook.mjs', 'main.mjs'], { cwd: folder })
  t.is(out, '42 7', errors)
})

test('a Node that is known by its name only is looked up', async (t) => {
  const folder = makeFolder(t, {
    'main.mjs': `process.execPath = 'node'\n${IMPORT}${USE}\nawait use({})\nawait use({ execPath: 'my-node' })`,
    'bin/my-node': `#!/bin/sh\nexec '${process.execPath}' "$@"\n`,
  })
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}` }
  const { out, errors } = await run(process.execPath, ['main.mjs'], { cwd: folder, env })
  t.is(out, 'result 42\nresult 42', errors)
})

test('execPath names the executable of the workers', async (t) => {
  const pool = makePool(t, { maxWorkers: 1, execPath: process.execPath })
  t.is(await pool.submit(tasks.add, 1, 2), 3)
  t.throws(() => new ProcessPoolExecutor({ execPath: '' }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => new ProcessPoolExecutor({ execPath: 'a\0b' }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => new ProcessPoolExecutor({ execPath: 7 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
  const missing = makePool(t, { maxWorkers: 1, execPath: '/no/such/node', startMethod: 'spawn' })
  t.throws(() => missing.submit(tasks.add, 1, 2), { code: 'ERR_MILLRACE_WORKER_SPAWN' })
})
