// The choice of a start method: the rules, the default that a program sets, contexts, and whether a process can be
// forked.

import test from 'ava'
import {
  ForkUnsafeError,
  forkSafety,
  getAllStartMethods,
  getContext,
  getStartMethod,
  InvalidStateError,
  Pool,
  ProcessPoolExecutor,
  setStartMethod,
  type StartMethod,
} from 'millrace'
import { tasks } from './fixtures/basic.mjs'
import { runHost } from './helpers/hosts.js'

const SINGLE = ['--single-threaded', '--v8-pool-size=1']

test.serial('the default is spawn, and what is set afterwards is changed by force only', (t) => {
  t.is(getStartMethod(), 'spawn')
  t.is(getStartMethod(), 'spawn', 'asking sets nothing')
  setStartMethod('spawn')
  t.throws(() => setStartMethod('spawn'), { instanceOf: InvalidStateError, message: /already been set, to 'spawn'/ })
  t.throws(() => setStartMethod('spawn', { force: false }), { instanceOf: InvalidStateError })
  setStartMethod('spawn', { force: true })
  t.is(getStartMethod(), 'spawn')
})

test('the default method comes first, and a caller cannot change the list', (t) => {
  const methods = getAllStartMethods()
  t.deepEqual(methods, process.platform === 'linux' ? ['spawn', 'forkserver', 'fork'] : ['spawn'])
  methods.length = 0
  t.is(getAllStartMethods()[0], 'spawn')
})

/** All ways to name a method, with the argument's name in each. */
const ways: Record<string, (method: StartMethod) => unknown> = {
  '"options.startMethod"': (startMethod) => new ProcessPoolExecutor({ startMethod }),
  '"options.startMethod" (Pool)': (startMethod) => new Pool(1, { startMethod }),
  '"method"': (method) => getContext(method),
  '"method" (set)': (method) => setStartMethod(method, { force: true }),
}

for (const [way, use] of Object.entries(ways)) {
  const name = way.split(' ')[0]!

  test(`${way}: what is no start method is refused by name`, (t) => {
    for (const wrong of ['thread', 'Spawn', '', 'constructor']) {
      const error = t.throws(() => use(wrong as StartMethod), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_VALUE' })
      t.true(
        error?.message.includes(`The ${name} argument must be one of 'spawn', 'forkserver', 'fork'`),
        error?.message,
      )
    }
    for (const wrong of [0, null, true, {}, ['spawn']]) {
      const error = t.throws(() => use(wrong as never), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' })
      t.true(error?.message.includes(name), error?.message)
    }
  })

  test(`${way}: fork is refused with the reasons of this process`, (t) => {
    const error = t.throws(() => use('fork'), { instanceOf: ForkUnsafeError, code: 'ERR_MILLRACE_FORK_UNSAFE' })
    t.true(error!.reasons.length > 0)
    for (const reason of error!.reasons) t.true(error!.message.includes(reason), reason)
  })
}

test('setStartMethod checks its options', (t) => {
  t.throws(() => setStartMethod('spawn', 1 as never), { instanceOf: TypeError, message: /"options"/ })
  t.throws(() => setStartMethod('spawn', { force: 1 as never }), { instanceOf: TypeError, message: /"options.force"/ })
})

test('recycling with an explicit fork is a RangeError that names the option, whether or not the process can be forked', (t) => {
  const expected = { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' }
  const executor = t.throws(() => new ProcessPoolExecutor({ startMethod: 'fork', maxTasksPerChild: 3 }), expected)
  t.regex(executor!.message, /"options\.maxTasksPerChild".*'fork'/)
  const pool = t.throws(() => new Pool(1, { startMethod: 'fork', maxtasksperchild: 3 }), expected)
  t.regex(pool!.message, /"options\.maxtasksperchild".*'fork'/)
})

test('a context has the ordinary constructors, bound to its method', async (t) => {
  const context = getContext('spawn')
  t.is(getContext('spawn'), context)
  t.is(getContext(), context, 'the default is the method that is set')
  t.is(context.ProcessPoolExecutor.name, 'ProcessPoolExecutor')
  t.is(context.Pool.name, 'Pool')

  await using executor = new context.ProcessPoolExecutor({ maxWorkers: 1, execArgv: [] })
  t.true(executor instanceof ProcessPoolExecutor)
  t.is(await executor.submit(tasks.add, 1, 2), 3)
  await using pool = new context.Pool(1, { execArgv: [], maxtasksperchild: 2, startMethod: 'spawn' })
  t.true(pool instanceof Pool)
  t.deepEqual(await pool.map(tasks.identity, [1, 2, 3], 1), [1, 2, 3])
})

test('a context refuses another method, and what is no options', (t) => {
  const { ProcessPoolExecutor: Executor, Pool: AnyPool } = getContext('spawn')
  for (const construct of [
    () => new Executor({ startMethod: 'forkserver' }),
    () => new AnyPool(1, { startMethod: 'forkserver' }),
  ]) {
    t.throws(construct, { instanceOf: TypeError, message: /"options\.startMethod".*'spawn', which this context/ })
  }
  t.throws(() => new Executor(7 as never), { instanceOf: TypeError, message: /"options"/ })
})

test('a test process cannot be forked, and the check changes nothing', (t) => {
  const first = forkSafety()
  t.false(first.safe)
  t.true(first.reasons.some((reason) => reason.includes('node --single-threaded --v8-pool-size=1')))
})

/**
 * The reasons that a program with each preparation is given; `[]` where it could be forked. A constructor, which forks
 * only later, refuses only for reasons that do not pass by themselves.
 */
const programs: [preparation: string, options: string[], reasons: RegExp[], passing?: boolean][] = [
  ['nothing', [], [/^V8 computes.*node --single-threaded --v8-pool-size=1$/]],
  ['nothing', ['--single-threaded'], [/^V8 computes.*node --v8-pool-size=1$/]],
  ['nothing', ['--single-threaded', '--v8-pool-size=0'], [/^V8 computes.*node --v8-pool-size=1$/]],
  ['nothing', ['--single_threaded', '--v8-pool-size', '1'], []],
  ['nothing', SINGLE, []],
  ['work that is over', SINGLE, []],
  ['work that is not', SINGLE, [/^there (is 1 thread|are \d threads) computing/], true],
  ['much of Node that is over', SINGLE, []],
  ['an open file', SINGLE, [/^descriptors are open.*: \d+ -> \/.*\/hosts\/fork-safety\.mjs$/]],
  ['an open device', SINGLE, []],
  ['a timer', SINGLE, [/^work is in progress.*: 1 Timeout$/]],
  ['a server', SINGLE, [/^work is in progress.*: 1 TCPServerWrap$/, /^descriptors.*: \d+ -> socket:\[\d+\]$/]],
  ['a thread', SINGLE, [/^there .* here beyond Node's own$/]],
  ['a debugger', SINGLE, [/^there is 1 thread here beyond/, /debugger/, /^descriptors.* -> socket/]],
  ['a timer', [], [/^V8 computes/, /: 1 Timeout$/]],
]

if (process.platform === 'linux') {
  for (const [preparation, execArgv, expected, passing = false] of programs) {
    test(`forkSafety() with ${preparation}, in a program run by ${['node', ...execArgv].join(' ')}`, async (t) => {
      const said = await runHost<any>(t, 'fork-safety', { preparation }, { execArgv, onlyStdio: true })
      t.is(said.reasons.length, expected.length, said.reasons.join('\n'))
      for (const [index, reason] of expected.entries()) t.regex(said.reasons[index], reason)
      t.is(said.safe, expected.length === 0)
      if (said.safe || passing) {
        t.is(said.refusal, undefined)
      } else {
        t.like(said.refusal, { name: 'ForkUnsafeError', code: 'ERR_MILLRACE_FORK_UNSAFE', reasons: said.reasons })
      }
    })
  }
}
