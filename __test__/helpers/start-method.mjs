/**
 * How the workers of test pools are started, by `MILLRACE_TEST_START_METHOD`: suites can be run under each method.
 *
 * @type {import('millrace').StartMethod | undefined}
 */
export const startMethod = /** @type {any} */ (process.env.MILLRACE_TEST_START_METHOD)

/** Whether their workers are spawned, as they are by default. */
export const spawns = startMethod === undefined || startMethod === 'spawn'
