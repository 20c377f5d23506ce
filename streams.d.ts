import { Buffer as Buffer_2 } from 'node:buffer';
import type { Duplex } from 'node:stream';

/**
 * An asynchronous iterator over items, for `for await` or for `next()`. It can be used as an `AsyncIterableIterator`,
 * whose type says nothing of the end before TypeScript 5.6.
 */
export declare interface AsyncItems<T> extends AsyncIterator<T, undefined> {
    [Symbol.asyncIterator](): AsyncItems<T>;
}

/**
 * The items of an iterable in arrays. A batch is read when it is asked for, and none is empty. Leaving the loop early
 * closes the iterable. What was read before an error of the iterable comes before that error.
 *
 * @throws TypeError or RangeError that names the argument. The iterator rejects with a TypeError when `bytes` is given
 * and an item has no size.
 */
export declare function batches<T>(iterable: AsyncIterable<T> | Iterable<T>, options: BatchesOptions<T>): AsyncItems<T[]>;

/** Options of {@link batches}: at least one of `items`, `bytes` and `ms`. */
export declare interface BatchesOptions<T> {
    /** The most items of a batch. */
    items?: number;
    /** The most bytes of a batch. An item that is larger comes alone. */
    bytes?: number;
    /** Milliseconds from a batch's first item until the batch comes, however small. */
    ms?: number;
    /**
     * The bytes of an item, for `bytes`. Default: the length of a string in UTF-8, of a Buffer, a view or an ArrayBuffer;
     * other items have no size of their own.
     */
    size?: (item: T) => number;
}

/**
 * Cuts a file into ranges that workers read for themselves, by `readRange()` or `lines()`. Each byte of the file is in
 * one range, and each record whole in one. Reads only a little at each cut, so a large file takes no longer than a
 * small one. (A delimiter that can overlap with itself, such as `'\n\n'`, has the file read through.)
 *
 * @param path - A path, or a `file:` URL.
 * @throws Error (`ERR_MILLRACE_FILE_CHANGED`) when the file changes meanwhile; RangeError when a header is longer than
 * 1 MiB; TypeError or RangeError that names the argument; the errors of the file system.
 */
export declare function byteRanges(path: string | URL, options?: ByteRangesOptions): Promise<Range[]>;

/** Options of {@link byteRanges}. */
export declare interface ByteRangesOptions {
    /**
     * The number of bytes that a range has at least, the last one aside. A range ends with the record that reaches this
     * number. Default: 4 MiB.
     */
    bytes?: number;
    /** The text at the end of each record. Default: `'\n'`. */
    delimiter?: string;
    /** Whether the first record is a header: it is the property `header` of each range, and in none of them. */
    header?: boolean;
}

/** The outcome of an item that has failed. */
export declare type DeadLetter<T> = Extract<ItemOutcome<T, unknown>, {
    status: 'rejected';
}>;

/** The outcome of an item: what `map` yields with `settle: true`. */
declare type ItemOutcome<T, R> = {
    readonly status: 'fulfilled';
    /** The index of the item in the input, from 0. */
    readonly index: number;
    readonly value: R;
} | {
    readonly status: 'rejected';
    /** The index of the item in the input, from 0. */
    readonly index: number;
    /** The item as the input gave it; for `starmap`, the list of arguments. */
    readonly item: T;
    /** What the task threw, or the error that tells what else kept the item from its value. */
    readonly reason: any;
};

/**
 * The lines of a stream of bytes, an iterable of pieces, or a range of a file; without their ends, `\n` or `\r\n`. A
 * `\r` that no `\n` follows is a character like others, a last line needs no end, and a byte order mark at the start is
 * dropped. Characters may be split between pieces. Bytes that are no UTF-8 become U+FFFD.
 *
 * Leaving the loop early closes the source. An error of the source comes after the lines that were complete.
 *
 * @throws TypeError or RangeError that names the argument. The iterator rejects with a RangeError
 * (`ERR_MILLRACE_LINE_TOO_LONG`, with the line's `offset` in bytes) at a line of more than `maxBytes` bytes: no more
 * than that is kept in memory. It rejects with the errors of the source, and of a file that has changed
 * (`ERR_MILLRACE_FILE_CHANGED`).
 */
export declare function lines(source: LineSource, options?: LinesOptions & {
    encoding?: 'utf8' | 'latin1';
}): AsyncItems<string>;

export declare function lines(source: LineSource, options: LinesOptions & {
    encoding: null;
}): AsyncItems<Buffer_2>;

export declare function lines(source: LineSource, options?: LinesOptions): AsyncItems<string | Buffer_2>;

/** Options of {@link lines}. */
export declare interface LinesOptions {
    /**
     * How bytes become text; null: lines are Buffers, which may share memory with the source's pieces. Default: `'utf8'`.
     * Pieces that are strings are taken as they are.
     */
    encoding?: 'utf8' | 'latin1' | null;
    /** The most bytes that a line may have, its end not counted. Default: 64 MiB. */
    maxBytes?: number;
}

/** A source of lines: a stream of bytes or texts, an iterable of pieces, bytes, or a range of a file. */
export declare type LineSource = AsyncIterable<Piece> | Iterable<Piece> | Uint8Array | Range;

/** A `map` that yields results, or outcomes with `settle`. */
declare type MapMethod = (fn: (item: any) => any, items: AsyncIterable<any>, options?: any) => AsyncIterator<any>;

/** Options of `map` and `starmap`. */
declare interface MapOptions {
    /**
     * The number of items that travel and run together, as one call. `'auto'`: measured, so that a chunk keeps a worker
     * busy for a few milliseconds, and at most 1024; a chunk that takes much longer is divided among the workers.
     * Default: `'auto'`.
     *
     * An item that fails, ends its worker or runs for too long does not harm the others of its chunk, whatever the size.
     */
    chunksize?: number | 'auto';
    /**
     * The most items that are read ahead of the consumer. Default: four chunks for each worker, and at least 64 items
     * for each; reading also stops at 64 MiB of encoded items, with any number here. `Infinity`: reading waits for
     * nothing but the workers; a synchronous iterable is read to its end at the call.
     */
    buffersize?: number;
    /**
     * Milliseconds from the call of `map`. `next()` rejects with a `TimeoutError` when its item is not done by then, and
     * the remaining calls are cancelled. Default: no limit.
     */
    timeout?: number;
    /**
     * Milliseconds that each item may run, from its own start. An item that runs longer fails with a `TaskTimeoutError`,
     * and its worker is stopped. Default: no limit.
     */
    taskTimeout?: number;
    /** Whether results come in the order of the input (true), or as they are done (false). Default: true. */
    ordered?: boolean;
    /**
     * Yield the outcome of each item, a failure like a value: see {@link ItemOutcome}. `next()` rejects only for what
     * ends the map. Default: false.
     */
    settle?: boolean;
    /**
     * How often an item is repeated that fails: a number, after the death of its worker or its time-out, or
     * {@link RetryOptions}. The other items of its chunk wait for it and are not repeated. Default: 0.
     */
    retries?: number | RetryOptions;
    /**
     * A signal whose abort ends the map: `next()` rejects with a `CancelledError` with the signal's reason as its
     * `cause`, and calls that run are stopped.
     */
    signal?: AbortSignal;
    /**
     * Milliseconds between the abort of `taskContext().signal` and SIGTERM, when `taskTimeout` or `signal` stop a call.
     * Default: 0.
     */
    grace?: number;
    /** A name for the calls in errors and in `taskContext()`, besides the name of the task. */
    label?: string;
}

/** A piece of a source of lines. The pieces of one source are all bytes, or all texts. */
declare type Piece = Uint8Array | string;

/** A part of a file: whole records, by the bytes from `start` to `end`. Plain data, which can be sent to a worker. */
export declare interface Range {
    /** The path of the file, absolute. */
    readonly path: string;
    /** The offset of the first byte. */
    readonly start: number;
    /** The offset behind the last byte. */
    readonly end: number;
    /** The size of the whole file in bytes, when it was cut. */
    readonly size: number;
    /** The time of the file's last change when it was cut, in milliseconds since 1970, as `fs.Stats` has it. */
    readonly mtimeMs: number;
    /** The first record of the file as text, without its end; with the option `header` of `byteRanges()`. */
    readonly header?: string;
}

/**
 * Reads a range whole.
 *
 * @throws Error with the code `ERR_MILLRACE_FILE_CHANGED` when the file has another size or time than when it was cut
 * into ranges; RangeError when the range is larger than a Buffer may be; TypeError or RangeError when `range` is no
 * range; the errors of the file system.
 */
export declare function readRange(range: Range): Promise<Buffer_2>;

/** The option `retries` in full: how often, after which pauses and after which failures a call is repeated. */
declare interface RetryOptions {
    /** How often the call is repeated at most. 0: never. */
    limit: number;
    /** Milliseconds of the pause before the first repetition. A pause holds no worker. Default: 0. */
    delay?: number;
    /** How many times longer each pause is than the pause before; at least 1. Default: 1. */
    factor?: number;
    /**
     * The share of each pause that is left to chance, from 0 to 1: a pause of 1000 ms with a `jitter` of 0.3 takes 700 to
     * 1000 ms. Calls that failed together are then not repeated together. Default: 0.
     */
    jitter?: number;
    /** Milliseconds of the longest pause. Default: no limit. */
    maxDelay?: number;
    /**
     * Decides whether the call is repeated after a failure of any kind: what the task threw, `process.exit()` in the
     * task, a death, a time-out. `attempt` is the number of the attempt that failed, from 1. The function is not asked
     * after the last attempt. What the function throws becomes the error of the call, with the failure as its `cause`.
     *
     * Default: the call is repeated after the death of its worker and after its time-out, and after nothing else.
     */
    when?(error: unknown, attempt: number): boolean;
}

/**
 * A Duplex in object mode for `pipeline()`: the items that are written go through `fn` in the workers of a pool, and
 * the results come out. They come in the order of the items; with `ordered: false` as they are done.
 *
 * A slow reader slows the writer: besides what the two sides of the stream hold, only the items that `map` reads ahead
 * are in the stream (`buffersize`).
 *
 * The first item that fails ends the stream with its error, except with `settle`, where the outcomes come out, or with
 * `deadLetter`. `null` and `undefined` cannot go through a stream: such a result is a failure of its item, but with
 * `settle`. Destroying the stream cancels the calls that wait.
 *
 * @throws TypeError or RangeError that names the argument, and the errors of `map`.
 *
 * @example
 * await pipeline(createReadStream('in.ndjson'), (source) => lines(source), transform(pool, parse), sink)
 */
export declare function transform<T, R>(pool: TransformPool, fn: (item: T) => R, options?: TransformOptions<T>): Duplex;

/** Options of {@link transform}: those of `map`, and two of its own. */
export declare interface TransformOptions<T> extends MapOptions {
    /**
     * Called with the outcome of each item that fails, which is then no error of the stream and does not come out of it.
     * The stream waits for the promise that the function returns. What the function throws ends the stream. Not together
     * with `settle`.
     */
    deadLetter?: (outcome: DeadLetter<T>) => unknown;
    /** The most items that wait in the stream before the map, and results behind it. Default: that of Node, 16. */
    highWaterMark?: number;
}

/** What runs the items of {@link transform}: an executor, a `Pool`, or whatever has the same methods. */
export declare type TransformPool = {
    readonly map: MapMethod;
} | {
    readonly imap: MapMethod;
    readonly imapUnordered: MapMethod;
};

export { }
