import { Buffer as Buffer_2 } from 'node:buffer';

/**
 * The items of an iterable in arrays. A batch is read when it is asked for, and none is empty. Leaving the loop early
 * closes the iterable. What was read before an error of the iterable comes before that error.
 *
 * @throws TypeError or RangeError that names the argument. The iterator rejects with a TypeError when `bytes` is given
 * and an item has no size.
 */
export declare function batches<T>(iterable: AsyncIterable<T> | Iterable<T>, options: BatchesOptions<T>): AsyncIterableIterator<T[], undefined>;

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
}): AsyncIterableIterator<string, undefined>;

export declare function lines(source: LineSource, options: LinesOptions & {
    encoding: null;
}): AsyncIterableIterator<Buffer_2, undefined>;

export declare function lines(source: LineSource, options?: LinesOptions): AsyncIterableIterator<string | Buffer_2, undefined>;

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

export { }
