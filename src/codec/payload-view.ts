// Views of payloads, for numbers wider than a byte.
//
// Nearly all payloads lie in the staging memory of one pool or worker, always in the same array: so the last view
// serves again. To make a view takes as long as to decode a small call.

/** Bytes of the largest array that is kept for its view. */
const LARGEST_KEPT = 1024 * 1024

let known: Uint8Array | undefined
let view: DataView = new DataView(new ArrayBuffer(0))

/** A view of exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return bytes === known ? view : makeView(bytes)
}

function makeView(bytes: Uint8Array): DataView {
  const made = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength <= LARGEST_KEPT) {
    known = bytes
    view = made
  }
  return made
}
