import { Executor, type ExecutorShutdownOptions } from '../../src/executor.js';
import { Future } from '../../src/future.js';
import type { ChunkOutcome, MapSource } from '../../src/map-source.js';
import type { TaskFunction } from '../../src/tasks.js';
interface Call {
    future: Future<unknown>;
    run: () => unknown;
}
/** Runs calls one a turn of the event loop, or when a test says so; with a bounded queue if `maxQueue` is given. */
export declare class LocalExecutor extends Executor {
    readonly waiting: Call[];
    submitted: number;
    private readonly manual;
    private readonly maxQueue;
    private roomWaiters;
    private closed;
    private scheduled;
    constructor({ manual, maxQueue }?: {
        manual?: boolean;
        maxQueue?: number;
    });
    submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>>;
    ready(): Promise<void>;
    shutdown(options?: ExecutorShutdownOptions): Promise<void>;
    /** Runs the call that came first, unless it was cancelled. */
    step(): Promise<void>;
    private schedule;
}
/** What the tasks of `LocalChunks` see and do. */
export type ItemTask<T, R> = (item: T) => R;
/** Takes whole chunks, and settles each a turn later, or when a test says so. */
export declare class LocalChunks<T, R> implements MapSource<unknown, R> {
    readonly chunked = true;
    readonly maxWorkers: number;
    readonly chunks: T[][];
    readonly futures: Future<ChunkOutcome<R>>[];
    /** Milliseconds that a chunk of so many items is said to have taken. */
    elapsed: ((items: number) => number) | undefined;
    manual: boolean;
    /** Thrown by the next submissions, one after the other. */
    refusals: unknown[];
    readyCalls: number;
    private readonly task;
    constructor(task: ItemTask<T, R>, maxWorkers?: number);
    submitChunk(items: T[]): Future<ChunkOutcome<R>>;
    ready(): Promise<void>;
    /** Runs a chunk, unless it was cancelled. */
    settle(future: Future<ChunkOutcome<R>>, items: readonly T[]): void;
    /** Runs the chunk of a number. */
    finish(index: number): void;
}
export {};
