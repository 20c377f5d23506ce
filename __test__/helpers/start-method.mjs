// The start method of test pools.

/**
 * The start method of the workers of test pools, by `MILLRACE_TEST_START_METHOD`: suites can be run under each method.
 *
 * @type {import('millrace').StartMethod | undefined}
 */
export const startMethod = /** @type {any} */ (process.env.MILLRACE_TEST_START_METHOD)

/** Whether these workers are spawned, as by default. */
export const spawns = startMethod === undefined || startMethod === 'spawn'
