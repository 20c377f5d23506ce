// Why Millrace loses where it does, by case; printed only beside a loss that a run has found.

/** @type {Record<string, string>} */
export const why = {
  text: 'A string is copied into shared memory and out of it; between threads of one process it is copied once.',
  block:
    'Bytes are copied into shared memory and out of it, each way; between threads of one process they are copied once.',
  large: 'As with 64 MiB.',
  huge: 'Bytes are copied into shared memory each way, and used where they lie; a `SharedBuffer` would not be copied at all.',
  task10us: 'A task as short as this is lost in what a call costs.',
  map: 'The automatic chunk size looks for chunks that take a few milliseconds, with each item an outcome of its own; by hand a chunk is one array in and one out.',
  cold: 'A worker is a new Node process, which has to start, load the package and then the module of the task. A thread starts in the process that there is, and a fork of CPython is a copy of it.',
  memory:
    'A worker is a Node process: its heap and its compiled code are its own. Threads share more, and a fork shares all that it does not write to.',
  scale: 'Workers that are cold warm up by themselves, each with the first calls that it gets.',
}
