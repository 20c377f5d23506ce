// Code for shapes that are met often: who gets any, and how it is made.
//
// A function is generated for a shape when the shape has been met some times, and only for a bounded number of shapes
// with a bounded length of source, whatever the other side sends. When there is no room left, all code is dropped, and
// from then on a shape must be met twice as often: so the shapes that are met most win, and even shapes without end
// cost a bounded number of compilations. Where the program forbids to generate code, there is none.

/** With `MILLRACE_SHAPE_CODE=off` no code is generated. */
const isEnabled = process.env.MILLRACE_SHAPE_CODE !== 'off'

/** Times that a shape is met before it gets code. */
const FIRST_PATIENCE = 32
/** The patience at which the last shapes get code. */
const LAST_PATIENCE = 2 ** 20
/** Shapes that have code at the same time, on one side. */
const MOST_SHAPES = 192
/** Characters of their source. */
const MOST_SOURCE = 256 * 1024
/** Keys of a shape. An object with more keys takes so long that its code would not save much of that. */
export const MOST_KEYS = 64

/** The class of functions, which a program may hide but not replace here. */
const FunctionMaker = (() => {}).constructor as FunctionConstructor

/** A shape that may get code. */
export interface CodeOwner {
  /** Times that the shape was met without code. */
  met: number
  /** What `met` has to be beyond the patience of the table, because code for this shape was in vain. */
  penalty: number
  code: Function | undefined
}

/** The shapes of one side that have code. */
export class CodeTable {
  #patience = FIRST_PATIENCE
  #source = 0
  /** With the lengths of their source. */
  readonly #owners = new Map<CodeOwner, number>()

  /** Counts that a shape was met. Whether it shall get code now. */
  meet(owner: CodeOwner): boolean {
    return ++owner.met > this.#patience + owner.penalty
  }

  /** Gives a shape code: the function that `source` returns, with `values` under the names `names`. */
  give(owner: CodeOwner, source: string, names: readonly string[], values: readonly unknown[]): void {
    owner.met = 0
    if (this.#owners.size === MOST_SHAPES || this.#source + source.length > MOST_SOURCE) {
      if (this.#patience >= LAST_PATIENCE) return this.#stop()
      this.dropAll()
      this.#patience *= 2
    }
    const code = canGenerate() ? FunctionMaker(...names, source)(...values) : undefined
    if (code === undefined) return this.#stop()
    owner.code = code
    this.#owners.set(owner, source.length)
    this.#source += source.length
  }

  /** Takes a shape's code away. It can get code again after having been met many more times. */
  withdraw(owner: CodeOwner): void {
    const length = this.#owners.get(owner)
    if (length === undefined) return
    this.#owners.delete(owner)
    this.#source -= length
    owner.code = undefined
    owner.met = 0
    owner.penalty = Math.min(8 * owner.penalty + FIRST_PATIENCE, LAST_PATIENCE)
  }

  /** Drops all code. */
  dropAll(): void {
    for (const owner of this.#owners.keys()) owner.code = undefined
    this.#owners.clear()
    this.#source = 0
  }

  /** For tests: code for shapes that have been met this many times. */
  setPatience(patience: number): void {
    this.dropAll()
    this.#patience = patience
  }

  /** The number of shapes with code. */
  get size(): number {
    return this.#owners.size
  }

  #stop(): void {
    this.#patience = Infinity
  }
}

let answer: boolean | undefined

/** Whether code can be generated, which is found out by the first attempt. */
function canGenerate(): boolean {
  if (answer === undefined) {
    try {
      answer = isEnabled && FunctionMaker('return true')() === true
    } catch {
      answer = false
    }
  }
  return answer
}

/** A key as a literal. */
export function literal(key: string): string {
  return JSON.stringify(key)
}
