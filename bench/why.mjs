// Why Millrace loses where it does, by case; printed only beside a loss that a run has found.

/** @type {Record<string, string>} */
export const why = {
  text: 'A string is copied into shared memory and out of it; between threads of one process it is copied once.',
  block:
    'Bytes are copied into shared memory and out of it, each way; between threads of one process they are copied once.',
  large: 'As with 64 KiB.',
  huge: 'As with 64 KiB; besides, memory that a worker touches for the first time has to be found and cleared by the system.',
  task10us: 'A task as short as this is lost in what a call costs.',
  map: 'The automatic chunk size looks for chunks that take a few milliseconds, with each item an outcome of its own; by hand a chunk is one array in and one out.',
  cold: 'A worker is a new Node process, which has to start, load the package and then the module of the task. A thread starts in the process that there is, and a fork of CPython is a copy of it.',
  memory:
    'A worker is a Node process: its heap and its compiled code are its own. Threads share more, and a fork shares all that it does not write to.',
  scale:
    'Calls are spread over all workers while these are cold, and each warms up by itself: over two seconds the cost with 64 of them falls to a sixth.',
}
