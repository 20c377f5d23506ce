// The option that was most likely meant by an unknown name: one written in another way, another library's name for
// the same thing, or a slip of the finger.

/** Names in other libraries and in Python, in lower case without `_` and `-`, and the options that they stand for. */
const ELSEWHERE = new Map<string, readonly string[]>(
  Object.entries({
    maxthreads: ['maxWorkers'],
    threads: ['maxWorkers'],
    numthreads: ['maxWorkers'],
    concurrency: ['maxWorkers'],
    maxconcurrency: ['maxWorkers'],
    concurrentworkers: ['maxWorkers'],
    numworkers: ['maxWorkers'],
    workers: ['maxWorkers'],
    processes: ['maxWorkers'],
    maxprocesses: ['maxWorkers'],
    numprocesses: ['maxWorkers'],
    poolsize: ['maxWorkers'],
    size: ['maxWorkers'],
    max: ['maxWorkers'],
    njobs: ['maxWorkers'],
    minthreads: ['minWorkers'],
    min: ['minWorkers'],
    maxtasks: ['maxTasksPerChild', 'maxtasksperchild'],
    maxtasksperworker: ['maxTasksPerChild', 'maxtasksperchild'],
    maxcallsperworker: ['maxTasksPerChild', 'maxtasksperchild'],
    maxqueuesize: ['maxQueue'],
    queuesize: ['maxQueue'],
    maxpending: ['maxQueue'],
    maxidletime: ['idleTimeout'],
    idle: ['idleTimeout'],
    init: ['initializer'],
    setup: ['initializer'],
    oncreateworker: ['initializer'],
    initarg: ['initargs'],
    workerdata: ['initargs'],
    resourcelimits: ['hardMemoryLimit'],
    maxmemory: ['maxMemoryPerWorker'],
    maxmemorylimitbeforerecycle: ['maxMemoryPerWorker'],
    memorylimit: ['hardMemoryLimit'],
    filename: ['preload'],
    file: ['preload'],
    script: ['preload'],
    module: ['preload'],
    imports: ['preload'],
    workertype: ['startMethod'],
    runtime: ['startMethod'],
    method: ['startMethod'],
    context: ['startMethod'],
    mpcontext: ['startMethod'],
    ctx: ['startMethod'],
    forkargs: ['execArgv'],
    forkopts: ['execArgv'],
    nodeargs: ['execArgv'],
    nodeoptions: ['execArgv'],
    argv: ['execArgv'],
    executable: ['execPath'],
    nodepath: ['execPath'],
    environment: ['env'],
    environ: ['env'],
    envvars: ['env'],
    directory: ['cwd'],
    workdir: ['cwd'],
    workingdirectory: ['cwd'],
    title: ['name'],
    processname: ['name'],
    threadnameprefix: ['name'],
    taskname: ['label'],
    abortsignal: ['signal'],
    transferlist: ['transfer'],
    attempts: ['retries'],
    retry: ['retries'],
    deadline: ['timeout'],
    timelimit: ['timeout'],
    maxtime: ['timeout'],
    ms: ['timeout'],
    chunk: ['chunksize'],
    chunks: ['chunksize'],
    batchsize: ['chunksize'],
    highwatermark: ['buffersize'],
    prefetch: ['buffersize'],
    readahead: ['buffersize'],
    limit: ['buffersize', 'timeout'],
    itemtimeout: ['taskTimeout'],
    preserveorder: ['ordered'],
    order: ['ordered'],
    until: ['returnWhen'],
    when: ['returnWhen'],
    cancel: ['cancelFutures'],
    cancelpending: ['cancelFutures'],
    force: ['kill'],
    terminate: ['kill'],
    onsuccess: ['callback'],
    onresult: ['callback'],
    onerror: ['errorCallback'],
    errback: ['errorCallback'],
    arguments: ['args'],
    params: ['args'],
    priority: ['exitPriority'],
  }),
)

/** The name among `names` that was meant; undefined when nothing is near. */
export function meantOption(name: string, names: readonly string[]): string | undefined {
  const plain = plainly(name)
  const sameLetters = names.find((candidate) => plainly(candidate) === plain)
  if (sameLetters !== undefined) return sameLetters
  const elsewhere = ELSEWHERE.get(plain)?.find((candidate) => names.includes(candidate))
  if (elsewhere !== undefined) return elsewhere
  let nearest: string | undefined
  let least = plain.length <= 4 ? 2 : 3
  for (const candidate of names) {
    const distance = editDistance(plain, plainly(candidate), least)
    // A name of few letters is near to everything.
    if (distance < least && distance < candidate.length - 1) [nearest, least] = [candidate, distance]
  }
  return nearest
}

function plainly(name: string): string {
  return name.replaceAll(/[_\s-]/g, '').toLowerCase()
}

/** How many letters to insert, delete, replace, or swap with the next one; `most` when there are at least so many. */
function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) >= most) return most
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let least = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1)
      row.push(least)
    }
    before = above
    above = row
  }
  return Math.min(most, above[b.length]!)
}
