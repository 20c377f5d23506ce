// The module of the workers of both floors. A message is [number, function, arguments], an answer [number, value,
// error].

import { parentPort } from 'node:worker_threads'

import { named } from '../functions.mjs'

/** @param {[id: number, name: string, args: unknown[]]} call */
function answer([id, name, args]) {
  try {
    return [id, named(name)(...args)]
  } catch (error) {
    return [id, undefined, String(error)]
  }
}

if (parentPort === null) process.on('message', (call) => process.send?.(answer(/** @type {any} */ (call))))
else parentPort.on('message', (call) => parentPort?.postMessage(answer(call)))
