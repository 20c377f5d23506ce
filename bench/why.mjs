// The reasons for Millrace's losses, by case. A page has a reason only beside a loss that its run has found.

/** With V8's optimizing compiler off, the first 2,000 records take half of the processor time. */
const NEW_CODE =
  'A new worker runs the code of this package for the first time: V8 interprets it, and compiles it meanwhile, in each worker for itself. Between threads, Node copies values by native code.'

/** @type {Record<string, string>} */
export const why = {
  text: 'A string is copied into shared memory and out of it; between threads of one process it is copied once.',
  block:
    'In each direction bytes are copied into shared memory and out of it; between threads of one process they are copied once.',
  large: 'The reason is that of 64 MiB.',
  huge: 'In each direction bytes are copied into shared memory, and used there; a `SharedBuffer` would not be copied at all.',
  task10us: 'The cost of a call is large beside so short a task.',
  map: 'Hand-chunked calls send whole arrays. `map` finds chunks of a few milliseconds, and gives each item an outcome of its own.',
  addFirst: NEW_CODE,
  recordFirst: NEW_CODE,
  textFirst: NEW_CODE,
  cold: 'A worker is a new Node process: it starts, loads the package, then the module of the task. A thread starts in a process that runs already, and CPython forks a copy of such a process.',
  memory:
    'A worker is a Node process with its own heap and compiled code. Threads share more, and a fork shares all memory that it does not write to.',
  scale: 'Each worker warms up by itself, with its first calls.',
}
