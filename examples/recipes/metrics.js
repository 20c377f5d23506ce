// The numbers of a pool in the text format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/

/** @param {import('millrace').PoolStats} stats */
export function metrics({ queued, running, completed, failed, cancelled, restarts, workers }) {
  const states = ['starting', 'idle', 'busy', 'leaving']
  return [
    family('millrace_calls_waiting', 'gauge', 'Calls that no worker has claimed.', [['', queued]]),
    family('millrace_calls_running', 'gauge', 'Calls that a worker has claimed.', [['', running]]),
    family('millrace_calls_total', 'counter', 'Calls that are over.', [
      ['{outcome="completed"}', completed],
      ['{outcome="failed"}', failed],
      ['{outcome="cancelled"}', cancelled],
    ]),
    family(
      'millrace_workers',
      'gauge',
      'Worker processes.',
      states.map((name) => [`{state="${name}"}`, workers.filter(({ state }) => state === name).length]),
    ),
    family('millrace_worker_restarts_total', 'counter', 'Workers that were started in place of others.', [
      ['', restarts],
    ]),
    family(
      'millrace_worker_memory_bytes',
      'gauge',
      'Resident memory of a worker.',
      workers.map(({ workerId, rss }) => [`{worker="${workerId}"}`, rss ?? NaN]),
    ),
  ].join('')
}

/**
 * @param {string} name
 * @param {'gauge' | 'counter'} type
 * @param {string} help
 * @param {[labels: string, value: number][]} samples
 */
function family(name, type, help, samples) {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}\n`)
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`
}
