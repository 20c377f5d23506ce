import { inspect } from 'node:util';

/** The arguments of a function, which may be left out if it needs none, and what follows them. */
export declare type ArgumentsOf<A extends unknown[], Rest extends unknown[] = []> = [] extends A ? [args?: readonly [...A], ...rest: Rest] : [args: readonly [...A], ...rest: Rest];

/**
 * Yields futures, of any executors, as they are done: those that are already first, then the others as they come. Each
 * once, cancelled ones too; none is kept once it was yielded.
 *
 * When `timeout`, counted from this call, expires while a next future is waited for, `next()` rejects with a
 * `TimeoutError` and the iterator has ended. Futures that are done by then are yielded before that.
 */
export declare function asCompleted<F extends Future<unknown>>(futures: Iterable<F>, options?: WaitOptions): CompletionIterator<F>;

/**
 * The result of a job of a {@link Pool}. It can be awaited, and be dropped: one that fails and that nobody looks at
 * causes no
 * `unhandledRejection`. Its pool is not collected before the job is over.
 */
export declare class AsyncResult<T> implements PromiseLike<T> {
    #private;
    private constructor();
    /**
     * The value. Rejects with the job's error, the same object each time, or with a `TimeoutError` when it is not ready
     * in time; the job goes on then.
     */
    get(options?: WaitOptions): Promise<T>;
    /** Resolves when the job is over, however it ended, or when the time is. */
    wait(options?: WaitOptions): Promise<void>;
    /** Whether the job is over, its callback included. */
    ready(): boolean;
    /**
     * Whether the job ended with a value.
     *
     * @throws InvalidStateError while it is not over.
     */
    successful(): boolean;
    /**
     * All errors of a job that is over, in the order in which they became known: of a map, those of all items that
     * failed, and one for each chunk that was lost as a whole. The first one is what `get()` rejects with, unless a
     * callback threw or the pool was terminated.
     */
    get errors(): readonly unknown[];
    /** As of a promise. */
    then<A = T, B = never>(onfulfilled?: ((value: T) => A | PromiseLike<A>) | null, onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<A | B>;
    /** As of a promise. */
    catch<B = never>(onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B>;
    /** As of a promise. */
    finally(onfinally?: (() => void) | null): Promise<T>;
    get [Symbol.toStringTag](): string;
    /** `<AsyncResult #7 state=finished returned Array>`; never runs code of the result. */
    toString(): string;
    [inspect.custom](): string;
}

/**
 * An executor can no longer run calls, whatever its kind. Every unfinished future failed with it, and later `submit()`
 * throws it. Make a new executor, and submit again what is safe to run twice: a call may have run in part.
 */
export declare class BrokenExecutor extends MillraceError {
    readonly code: string;
}

/**
 * A worker died abruptly under `onWorkerDeath: 'break'`, an initializer failed (its error is the `cause`), or workers
 * kept dying before they could work. `workers` says which, how, and what each was running: look there for the culprit.
 * With
 * `onWorkerDeath: 'isolate'` only the calls of the dead worker fail.
 */
export declare class BrokenProcessPool extends BrokenExecutor {
    readonly code: string;
    /** The workers whose death broke the pool; empty when none died. */
    readonly workers: readonly WorkerDeath[];
    constructor(message: string, details?: BrokenProcessPoolDetails);
}

/** The fields of a `BrokenProcessPool`. */
export declare interface BrokenProcessPoolDetails extends ErrorDetails {
    workers?: readonly WorkerDeath[];
}

/**
 * The future was cancelled before its call ran, or the call was stopped by `cancel({ kill: true })` or an aborted
 * signal, whose reason is then the `cause`. The call has no result; submit it again if it is still wanted.
 */
export declare class CancelledError extends MillraceError {
    readonly code: string;
}

/** Options of {@link Future.cancel}. */
export declare interface CancelOptions {
    /** Also stop the call when it runs already, which ends its worker; a new worker takes its place. Default: false. */
    kill?: boolean;
}

/** What became of the items of a chunk. */
declare interface ChunkOutcome<R> {
    /**
     * By item; anything at the places of items that failed. The receiver takes the list over, and clears it as it reads.
     */
    readonly values: ArrayLike<R>;
    /** The errors of the items that failed, by index; taken over as well. */
    readonly errors?: Map<number, unknown>;
    /** Milliseconds that the worker spent on the chunk, if that is known. Automatic chunk sizes are then more precise. */
    readonly elapsed?: number;
}

/**
 * Futures in the order in which they are done.
 *
 * Its own interface, not an `AsyncIterableIterator`, as which it can be used: the compiler takes the elements of that
 * for awaited in `for await`, and would say that there are results where there are futures.
 */
export declare interface CompletionIterator<F extends Future<unknown>> extends AsyncDisposable {
    next(): Promise<IteratorResult<F, undefined>>;
    return(): Promise<IteratorResult<F, undefined>>;
    throw(error?: unknown): Promise<IteratorResult<F, undefined>>;
    [Symbol.asyncIterator](): this;
}

declare const CONDITIONS: readonly ['ALL_COMPLETED', 'FIRST_COMPLETED', 'FIRST_EXCEPTION'];

/**
 * Makes functions of this module callable in worker processes by reference: the workers import the module and call them
 * there. The functions stay callable here.
 *
 * @param url - The module's own `import.meta.url`.
 * @param tasks - The functions, by name. They need not be exported.
 * @returns `tasks`, for destructuring.
 * @throws TypeError when `url` is no URL or a member of `tasks` is no function.
 * @example
 * export const { parse } = defineTasks(import.meta.url, { parse: (line: string) => JSON.parse(line) as Row })
 */
export declare function defineTasks<T extends Functions>(url: string | URL, tasks: T): T;

/** What every error of this package accepts beside its message. */
export declare interface ErrorDetails {
    /** What led to this error; any value, as for `new Error(message, { cause })`. */
    cause?: unknown;
}

/**
 * What executors have in common. An executor implements `submit` and `shutdown`, with futures that it settles; `map`
 * and the rest follow from those.
 *
 * @example
 * await using executor = new SomeExecutor()
 * const future = executor.submit(task, 1, 2)
 */
export declare abstract class Executor implements AsyncDisposable {
    /**
     * Calls `fn(...args)` somewhere else.
     *
     * @throws ShutdownError, BrokenExecutor or QueueFullError when the call is not accepted.
     */
    abstract submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>>;
    /** Takes no more calls, and lets those that there are finish. May be called again, and from anywhere. */
    abstract shutdown(options?: ExecutorShutdownOptions): Promise<void>;
    /** Resolves when `submit` has room for another call. */
    ready(): Promise<void>;
    /**
     * Calls `fn` with each item of an iterable, and yields the results in the order of the items. One item's failure does
     * not concern the others: see {@link MapIterator}.
     *
     * A synchronous iterable is read at the call unless there is a `buffersize`; give one for an endless iterable.
     *
     * @throws What the iterable throws while it is read here, and what `submit` throws.
     */
    map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: MapOptions): MapIterator_2<Awaited<R>>;
    /** {@link map} for a function of several arguments: each item is an array of them. */
    starmap<A extends unknown[], R>(fn: TaskFunction<A, R>, items: Iterable<Readonly<NoInfer<A>>> | AsyncIterable<Readonly<NoInfer<A>>>, options?: MapOptions): MapIterator_2<Awaited<R>>;
    /** `shutdown()`, for `await using`. */
    [Symbol.asyncDispose](): Promise<void>;
    /**
     * How `map` runs its calls. The default submits each item by itself; an executor that can run many at once overrides
     * this.
     */
    protected mapSource<R>(fn: TaskFunction, call: MapCall): MapSource<unknown, R>;
}

/** Options of {@link Executor.shutdown} that every executor knows. */
export declare interface ExecutorShutdownOptions {
    /** Whether the promise resolves only when everything has ended. Default: true. */
    wait?: boolean;
    /** Cancels the calls that have not begun. Default: false. */
    cancelFutures?: boolean;
}

/**
 * Has a callback run at most once, by whatever comes first: `call()`, the collection of an object, a pass of
 * {@link runFinalizers}, or the end of this process or thread. After Python's `multiprocessing.util.Finalize`.
 *
 * It belongs to the thread that made it, and needs no reference to it to stay.
 *
 * - A collection may come late or never. What has to happen needs an `exitPriority`.
 * - Neither the callback nor its arguments may hold the object: it would never be collected, and nothing can notice
 *   that.
 *   Pass what the callback needs (a path, a descriptor) in `args`.
 * - At the exit, those of 0 and more are over before any below 0 begins. That is when the event loop has drained, after
 *   `process.exit()`, an uncaught error, and the end of a `worker_threads` thread or of a Millrace worker; not when the
 *   process is killed, nor when a thread is terminated. What runs then has to be synchronous.
 * - What it throws, but for `call()`, is a process warning (`MILLRACE_FINALIZER`) and stops nothing. So is a promise
 *   that it
 *   returns to a pass that does not wait for it.
 */
export declare class Finalize<A extends unknown[] = [], R = unknown> {
    #private;
    /**
     * @param obj - What the callback comes after; null if only the exit matters.
     * @throws TypeError when `obj` is neither an object nor a function, or null without `options.exitPriority`; TypeError
     * or
     *   RangeError that names another wrong argument. Nothing is registered then.
     */
    constructor(obj: object | null, callback: (...args: A) => R, options: FinalizeOptionsFor<A> & {
        exitPriority: number;
    });
    constructor(obj: object, callback: (...args: A) => R, ...options: [] extends A ? [options?: FinalizeOptionsFor<A>] : [options: FinalizeOptionsFor<A>]);
    /**
     * Runs the callback now, unless it has run or was cancelled: what it returns or throws. Undefined if it does not run;
     * also in a process that was forked from the one that made it.
     */
    call(): R | undefined;
    /** The callback will not run. Harmless after it did, and when repeated. */
    cancel(): void;
    /** Whether the callback may still run. */
    stillActive(): boolean;
    [inspect.custom](): string;
}

/** Options of {@link Finalize}. */
export declare interface FinalizeOptions<A extends readonly unknown[] = readonly unknown[]> {
    /** What the callback is called with. Default: nothing. */
    args?: readonly [...A];
    /**
     * A whole number: the callback also runs at the exit, and in {@link runFinalizers}, those with a higher number first
     * and the newest first among equals. Pools end their workers at 15. Default: none, and the exit is no reason to call
     * it.
     */
    exitPriority?: number;
}

/** The options of a callback that takes such arguments: they may be left out if it can do without. */
export declare type FinalizeOptionsFor<A extends readonly unknown[]> = [] extends A ? FinalizeOptions<A> : FinalizeOptions<A> & {
    args: readonly [...A];
};

/** What {@link forkSafety} found. */
export declare interface ForkSafety {
    safe: boolean;
    /** Why not, a sentence each; empty when it is safe. */
    reasons: string[];
}

/**
 * Whether this process can be forked safely, which the start method `'fork'` requires. An ordinary Node process never
 * can: it computes with several threads, and a child that lacks them waits for them for ever. What there is to find is
 * found, open files and sockets among it; a lock that native code holds is not, nor is a timer that was unref'd, which
 * goes off in each fork.
 */
export declare function forkSafety(): ForkSafety;

/** The fields of a `ForkUnsafeError`. */
declare interface ForkUnsafeDetails extends ErrorDetails {
    reasons: readonly string[];
}

/** This process cannot be forked safely; `reasons` says why. Use the start method 'spawn' or 'forkserver'. */
export declare class ForkUnsafeError extends MillraceError {
    readonly code: string;
    readonly reasons: readonly string[];
    constructor(message: string, details: ForkUnsafeDetails);
}

declare type Functions = Record<string, (...args: never[]) => unknown>;

/**
 * The result of a call that may not have happened yet.
 *
 * Not a promise, but it can be awaited. Other than a promise it can be asked for its state, be cancelled, and be
 * dropped: a future that fails and that nobody looks at causes no `unhandledRejection`.
 *
 * Made by executors. Whoever writes an executor calls {@link setRunningOrNotifyCancel} before running a call, then
 * {@link setResult} or {@link setException}.
 */
export declare class Future<T> implements PromiseLike<T> {
    private phase;
    /** The value, or the error, or the `CancelledError` once somebody asked for it. */
    private stored;
    /** Nobody, one listener, or several in the order in which they came. */
    private listeners;
    constructor();
    get state(): FutureState;
    get outcome(): FutureOutcome;
    /** Whether the call finished, failed or was cancelled. */
    done(): boolean;
    /** Whether a worker has claimed the call and has not finished it. */
    running(): boolean;
    cancelled(): boolean;
    /**
     * Cancels the call if no worker has claimed it, or in any case with `kill`. The future is then done at once, for all
     * who wait for it.
     *
     * @returns Whether the future is cancelled now; also true when it was before.
     */
    cancel(options?: CancelOptions): boolean;
    /**
     * A promise of the result. Rejects with the error of the call, the same object each time, with a `CancelledError`, or
     * with a `TimeoutError` when the wait runs out.
     */
    result(options?: WaitOptions): Promise<T>;
    /**
     * A promise of the call's error, undefined when it succeeded. Rejects with a `CancelledError` or a `TimeoutError`
     * only, and may be dropped: it causes no `unhandledRejection`.
     */
    exception(options?: WaitOptions): Promise<unknown>;
    /**
     * The result, for which this thread is blocked: nothing else happens in it meanwhile. Throws what `result()` rejects
     * with.
     */
    resultSync(options?: WaitOptions): T;
    /**
     * Calls `fn` with this future as soon as it is done: synchronously, in the order of registration, and before the
     * promise reactions of the same settling; at once if it is done already. What `fn` throws becomes a process warning.
     */
    addDoneCallback(fn: (future: Future<T>) => void): this;
    /** As of a promise. */
    then<A = T, B = never>(onfulfilled?: ((value: T) => A | PromiseLike<A>) | null, onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<A | B>;
    /** As of a promise. */
    catch<B = never>(onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B>;
    /** As of a promise. */
    finally(onfinally?: (() => void) | null): Promise<T>;
    get [Symbol.toStringTag](): string;
    /** `<Future #7 state=finished returned number>`; never runs code of the result. */
    toString(): string;
    [inspect.custom](): string;
    /**
     * For executors: a call is about to run.
     *
     * @returns true, and the future is running now; false if it was cancelled and the call must not run.
     * @throws InvalidStateError if it runs already or is finished.
     */
    setRunningOrNotifyCancel(): boolean;
    /**
     * For executors: the call returned.
     *
     * @throws InvalidStateError if the future is done; its outcome stays.
     */
    setResult(value: T): void;
    /**
     * For executors: the call threw, anything at all.
     *
     * @throws InvalidStateError if the future is done; its outcome stays.
     */
    setException(error: unknown): void;
    /** Whether a worker has claimed the call. Asked only of a future that is not done. */
    protected probeRunning(): boolean;
    /**
     * Takes the call back from wherever it waits or, with `kill`, stops it. Asked only of a future that is not done.
     *
     * @returns Whether the future is to be cancelled now.
     */
    protected requestCancel(_kill: boolean): boolean;
    /**
     * Blocks this thread until the future is done or `performance.now()` reaches `deadline`. Asked only of a future that
     * is not done; a deadline in the past means to look once.
     */
    protected blockUntilDone(deadline: number | undefined): void;
    /** The number in {@link toString}. */
    protected displayId(): number;
    private addListener;
    private settle;
    private tellAll;
    /** Made when somebody asks for it, so that a future which nobody awaits costs no promise and rejects none. */
    private promise;
    private timedOut;
    private invalidState;
}

/** How a call ended; undefined while it has not. The only way to tell a result of undefined from a thrown undefined. */
export declare type FutureOutcome = 'value' | 'error' | 'cancelled' | undefined;

/** Where a call stands. */
export declare type FutureState = 'pending' | 'running' | 'cancelled' | 'finished';

/**
 * The start methods that there are on this system, the default first. `'fork'` also asks for a process that can be
 * forked.
 */
export declare function getAllStartMethods(): StartMethod[];

/**
 * The constructors `ProcessPoolExecutor` and `Pool` bound to a start method, for a library that must not depend on what
 * the program set. They are subclasses of the ordinary ones, always the same for the same method; their option
 * `startMethod` may be left out, and be nothing else.
 *
 * @param method - Default: that of `getStartMethod()`, as it is now.
 * @throws As `setStartMethod` for a method that cannot be used.
 * @example
 * const { Pool } = getContext('spawn')
 * await using pool = new Pool(4)
 */
export declare function getContext(method?: StartMethod): StartContext;

/** How workers are started where neither an option nor a context says: what was set, else `'spawn'`. */
export declare function getStartMethod(): StartMethod;

/**
 * The results of {@link Pool.imap} or {@link Pool.imapUnordered}, for `for await` or for `next()`.
 *
 * `next()` rejects when the item's call failed, for an item alone also if it came in a chunk, and when the input threw;
 * the items after it can still be had by calling `next()` again. `for await` stops at the first failure, and then, as
 * whenever it is left early, what is left is cancelled. The pool is not collected before the iterator has all results.
 */
export declare class ImapIterator<R> implements AsyncIterableIterator<R, undefined> {
    #private;
    private constructor();
    /**
     * The next result. With a `timeout` it rejects with a `TimeoutError` when the result is not there by then; nothing is
     * lost: the next call is for the same item.
     */
    next(options?: WaitOptions): Promise<IteratorResult<R, undefined>>;
    /** Cancels what is left and closes the input. */
    return(): Promise<IteratorResult<R, undefined>>;
    /** As {@link return}, and rejects with `error`. */
    throw(error?: unknown): Promise<IteratorResult<R, undefined>>;
    /**
     * For loops. It shares the results with this iterator, and ends it at the first failure, which `for await` does not
     * do.
     */
    [Symbol.asyncIterator](): AsyncIterableIterator<R, undefined>;
    /** As {@link return}. */
    [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@link Pool.imap} and {@link Pool.imapUnordered}. */
export declare interface ImapOptions {
    /** Items that travel and run together, as one call; `'auto'` measures what pays. Default: 1. */
    chunksize?: number | 'auto';
    /** Never read more items than this ahead of the consumer. Default: those of two chunks a worker. */
    buffersize?: number;
}

/** The tasks of a module that is not loaded here: its exported functions, and nothing else. */
export declare type ImportedTasks<T> = {
    readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K];
};

/**
 * References to the exported functions of a module, which is loaded in the workers and not here.
 *
 * @param specifier - A URL, or what `import` accepts, resolved from the current working directory.
 * @throws TypeError when the specifier is neither; Node's resolution error when it does not resolve.
 * @example
 * const jobs = importTasks<typeof import('./jobs.js')>(new URL('./jobs.js', import.meta.url))
 * await pool.submit(jobs.parse, line)
 */
export declare function importTasks<T extends object>(specifier: string | URL): ImportedTasks<T>;

/**
 * An operation that the object's present state does not allow, such as settling a settled future. The object is
 * unchanged. It is a mistake in the calling program: only one party may settle a future.
 */
export declare class InvalidStateError extends MillraceError {
    readonly code: string;
}

/**
 * Whether this process is a worker of a Millrace pool. A script that is also a task module tests it before it starts
 * one.
 */
export declare let isWorker: boolean;

/** Options of {@link Pool.mapAsync} and {@link Pool.starmapAsync}. */
export declare interface MapAsyncOptions<T> extends ResultCallbacks<T> {
    /** Items that travel and run together, as one call. Default: so many that there are four chunks a worker. */
    chunksize?: number;
}

/** How an executor is to run the calls of one `map`. */
declare interface MapCall {
    /** Whether an item is a list of arguments, as for `starmap`, or the only argument. */
    spread: boolean;
    /** Milliseconds that each call may run. */
    taskTimeout: number | undefined;
}

/**
 * The results of a `map`, for `for await`.
 *
 * `next()` rejects when the item's call failed; the items after it can still be had by calling `next()` again. `for
 * await` stops at the first failure, and then, as whenever it is left early, what is left is cancelled. An iterator
 * that is merely dropped cancels nothing.
 */
declare class MapIterator_2<R> implements AsyncIterableIterator<R, undefined> {
    private pace;
    private feeder;
    /** Chunks to read from, the next one first: in the order of the input, done or not; or as they were done. */
    private readonly chunks;
    /** The chunks that are not done, unless they are in `chunks`. */
    private readonly unfinished;
    /** Calls of `next()` that were not answered yet. While there are any, no item is ready. */
    private readonly requests;
    private readonly timeout;
    private readonly deadline;
    /** Runs only while somebody waits: an iterator that nobody reads does not hold the event loop. */
    private timer;
    /** Items handed out that the consumer may not have seen yet: they still count as read ahead. */
    private yielding;
    private releaseScheduled;
    /** What is to be thrown once, after the last result. */
    private failure;
    private closed;
    private sourceTold;
    private constructor();
    next(): Promise<Result<R>>;
    /** Cancels what is left and closes the input. */
    return(): Promise<Result<R>>;
    /** As {@link return}, and rejects with `error`. */
    throw(error?: unknown): Promise<Result<R>>;
    /**
     * For loops. It shares the results with this iterator, and ends it at the first failure, which `for await` does not
     * do.
     */
    [Symbol.asyncIterator](): AsyncIterableIterator<R, undefined>;
    /** As {@link return}. */
    [Symbol.asyncDispose](): Promise<void>;
    private startAsync;
    private startLazily;
    private startSync;
    private host;
    private accept;
    private readonly chunkDone;
    /** Once there is nothing more to submit and nothing in flight, or nobody wants that. */
    private tellSource;
    /** The chunk that the next result comes from, if that is there. */
    private readyChunk;
    private isOver;
    /** Answers the calls of `next()` that can be answered, in their order. */
    private answer;
    private taken;
    private release;
    private expire;
    /** Everything but what was yielded is given up. Settles as closing the input does. */
    private close;
    private stopTimer;
    private timedOut;
}
export { MapIterator_2 as MapIterator }

/** Options of `map` and `starmap`. */
export declare interface MapOptions {
    /**
     * Items that travel and run together, as one call. `'auto'`: measured, so that a chunk keeps a worker busy for a few
     * milliseconds; chunks are then submitted as earlier ones are done. Default: 1.
     */
    chunksize?: number | 'auto';
    /**
     * Never read more items than this ahead of the consumer. Default: a synchronous iterable is read wholly at the call,
     * an asynchronous one 2 × `maxWorkers` chunks ahead.
     */
    buffersize?: number;
    /**
     * Milliseconds, from the call of `map`, after which `next()` rejects with a `TimeoutError` if its item is not done;
     * what is left is cancelled then. Default: no limit.
     */
    timeout?: number;
    /** Milliseconds that each call may run, a chunk being one call; see `run({ timeout })`. Default: no limit. */
    taskTimeout?: number;
    /** Whether results come in the order of the input, or as they are done. Default: true. */
    ordered?: boolean;
}

/** Runs the items of one `map`. It holds its executor: who holds the iterator need not hold that too. */
declare interface MapSource<T, R> {
    /** For the defaults that depend on it. */
    readonly maxWorkers: number;
    /** False if each item is a call of its own anyhow: chunks are of one item then. */
    readonly chunked: boolean;
    /**
     * Submits a chunk; an item is what the user's iterable yielded, for `starmap` a list of arguments. If the future
     * fails or is cancelled, every item has failed so. Throws what `submit` throws; `QueueFullError` makes `map` wait for
     * `ready`.
     */
    submitChunk(items: T[]): Future<ChunkOutcome<R>>;
    /** Resolves when the queue has room. */
    ready(): Promise<void>;
    /** Called once, when no chunk will be submitted any more and nobody waits for one. */
    finished?(): void;
}

/**
 * The base of every error that this package makes up itself.
 *
 * Never thrown as such; catch it to tell the pool's own failures from the errors of tasks (an error thrown by a task
 * arrives as its own class, or as a `RemoteError`). `instanceof` works across duplicate copies of the package.
 */
export declare class MillraceError extends Error {
    /** Stable between releases, unlike the message: what programs should compare. */
    readonly code: string;
    constructor(message: string, details?: ErrorDetails);
    static [Symbol.hasInstance](value: unknown): boolean;
}

/** The fields of a `NestingError`. */
declare interface NestingDetails extends ErrorDetails {
    depth: number;
}

/**
 * A worker of a pool made a pool, whose worker made a pool, and so on, too deep. Nearly always a task module makes a
 * pool when it is loaded; make it in a function, or only where `isWorker` is false.
 */
export declare class NestingError extends MillraceError {
    readonly code: string;
    /** How deep the refused pool would have been. */
    readonly depth: number;
    constructor(message: string, details: NestingDetails);
}

/**
 * Python's `multiprocessing.Pool`: a fixed number of worker processes, all started at once and replaced whenever one
 * leaves.
 *
 * A worker that dies fails only the job that it ran. End a pool by `close()` and `join()`, which let its jobs finish,
 * or by `terminate()`, which does not and is also what `await using` does. An idle pool does not keep the program
 * alive, unfinished jobs do.
 *
 * @example
 * const pool = new Pool(4)
 * const squares = await pool.map((n: number) => n * n, [1, 2, 3])
 * for await (const text of pool.imapUnordered(render, pages)) …
 * pool.close()
 * await pool.join()
 */
export declare class Pool implements AsyncDisposable {
    #private;
    /**
     * Starts all workers, or none.
     *
     * @param processes - How many. Default: the processors that this process may use, its control group's CPU quota
     * included.
     * @throws TypeError or RangeError that names the wrong argument; `WorkerSpawnError` when a worker cannot be started,
     * and none is left running then; `SerializationError` when `initargs` cannot travel; `NestingError` in a worker ten
     * levels deep;
     * `UnsupportedPlatformError` where pools cannot run.
     */
    constructor(processes?: number, options?: PoolOptions);
    /**
     * Calls `fn(...args)` in a worker.
     *
     * @returns A promise of what it returns or resolves to. Rejects as {@link applyAsync} throws, too.
     */
    apply<A extends unknown[], R>(fn: TaskFunction<A, R>, ...[args]: ArgumentsOf<A>): Promise<Awaited<R>>;
    /**
     * Calls `fn(...args)` in a worker.
     *
     * @returns Its result. Arguments that cannot travel fail that.
     * @throws `InvalidStateError` (the pool is closed or terminated), `BrokenProcessPool`, `QueueFullError` (see
     * `maxQueue`), `WorkerSpawnError`, and TypeError for what is no task, no arguments or no callback: then nothing of
     * the call is kept.
     */
    applyAsync<A extends unknown[], R>(fn: TaskFunction<A, R>, ...[args, callbacks]: ArgumentsOf<A, [callbacks?: ResultCallbacks<Awaited<R>>]>): AsyncResult<Awaited<R>>;
    /**
     * Calls `fn` with each item.
     *
     * @param chunksize - Items that travel and run together. Default: so many that there are four chunks a worker.
     * @returns A promise of the results in the order of the items. It waits for all chunks, and then rejects with the
     * first error if there was one; use {@link mapAsync} to get at the others, {@link imap} for the results beside them.
     */
    map<T, R>(fn: (item: T) => R, items: Iterable<T>, chunksize?: number): Promise<Awaited<R>[]>;
    /**
     * {@link map} that returns at once. The items are listed before.
     *
     * @throws What the iterable throws, and what {@link applyAsync} throws but `QueueFullError`: chunks wait until there
     * is room.
     */
    mapAsync<T, R>(fn: (item: T) => R, items: Iterable<T>, options?: MapAsyncOptions<Awaited<R>[]>): AsyncResult<Awaited<R>[]>;
    /** {@link map} for a function of several arguments: each item is an array of them. */
    starmap<A extends unknown[], R>(fn: TaskFunction<A, R>, items: Iterable<Readonly<NoInfer<A>>>, chunksize?: number): Promise<Awaited<R>[]>;
    /** {@link mapAsync} for a function of several arguments: each item is an array of them. */
    starmapAsync<A extends unknown[], R>(fn: TaskFunction<A, R>, items: Iterable<Readonly<NoInfer<A>>>, options?: MapAsyncOptions<Awaited<R>[]>): AsyncResult<Awaited<R>[]>;
    /**
     * Calls `fn` with each item, and yields the results in the order of the items, as they come. The input, which may be
     * asynchronous and endless, is read `buffersize` items ahead of the consumer; what it throws is raised in its place.
     *
     * @throws As {@link applyAsync}.
     */
    imap<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: ImapOptions): ImapIterator<Awaited<R>>;
    /** {@link imap} that yields each result as soon as it is there. */
    imapUnordered<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: ImapOptions): ImapIterator<Awaited<R>>;
    /** Takes no more jobs. Those that there are finish, then the workers leave. May be called again. */
    close(): void;
    /**
     * Kills the workers and all that they started. Every unfinished job fails with `PoolTerminatedError` before this
     * returns; an iterator yields the results that are there before that. May be called again, and from anywhere.
     *
     * @returns A promise that resolves when the workers are gone.
     */
    terminate(): Promise<void>;
    /**
     * Waits until the workers of a closed or terminated pool are gone. The inputs of its iterators are read to their ends
     * for that, whether their results are taken or not: take them before if they are many.
     *
     * @returns A promise that always resolves, but rejects with `InvalidStateError` while the pool runs.
     */
    join(): Promise<void>;
    /** `terminate()`, for `await using`, with a process warning if jobs are lost by that. */
    [Symbol.asyncDispose](): Promise<void>;
    /** Resolves when the queue has room for a call; see the option `maxQueue`. */
    ready(): Promise<void>;
    /** What the pool does and has done. A chunk of a map counts as one call. */
    stats(): PoolStats;
    /** Rings, states and process ids as text, for somebody who wants to know why nothing happens. */
    dumpState(): string;
    /** Unfinished jobs keep the event loop alive: the default. */
    ref(): this;
    /** Nothing of this pool keeps the event loop alive. */
    unref(): this;
    /** Adds a listener. */
    on<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Adds a listener for one time. */
    once<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Removes a listener. */
    off<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** {@link off} under the name that `events.once()` uses. */
    removeListener<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    get [Symbol.toStringTag](): string;
    /** `<Pool state=RUN pool_size=4>` */
    toString(): string;
    [inspect.custom](): string;
}

/** Options of a {@link Pool}. */
export declare interface PoolOptions extends Omit<ProcessPoolOptions, 'maxWorkers' | 'maxTasksPerChild' | 'onWorkerDeath' | 'idleTimeout'> {
    /** A worker is replaced after so many calls. A chunk of a map is one call. Default: never. */
    maxtasksperchild?: number;
}

/** What a pool does and has done; see {@link ProcessPoolExecutor.stats}. */
export declare interface PoolStats {
    /** Calls that no worker has claimed, wherever they wait. */
    queued: number;
    /** Calls that a worker has claimed. */
    running: number;
    /** Workers with nothing to do. */
    idle: number;
    /** Futures that ended with a value. */
    completed: number;
    /** Futures that failed, for whatever reason. */
    failed: number;
    /** Futures that were cancelled. */
    cancelled: number;
    /** Workers started in the place of others. */
    restarts: number;
    workers: WorkerStats[];
}

/**
 * `Pool.terminate()` ended the pool while this result was outstanding. Use `close()` and `join()` to let work finish.
 */
export declare class PoolTerminatedError extends MillraceError {
    readonly code: string;
}

/** The events of a {@link ProcessPoolExecutor}, with the arguments of their listeners. */
export declare interface ProcessPoolEvents {
    /** A worker process was started. */
    workerStart: [info: {
        pid: number;
        workerId: number;
    }];
    /** A worker process has ended and is reaped. */
    workerExit: [
    info: {
        pid: number;
        workerId: number;
        exitCode: number | null;
        signal: NodeJS.Signals | null;
        reason: WorkerExitReason;
    }
    ];
    /** A worker was started in the place of one that left. */
    workerReplace: [info: {
        oldPid: number;
        newPid: number;
        reason: WorkerExitReason;
    }];
    /** The executor broke; once. */
    broken: [error: BrokenProcessPool];
    /** The queue has room again after it was full. */
    drain: [];
    /** Something went wrong that the executor survives. Without a listener it is a process warning. */
    warning: [error: Error];
}

/**
 * Runs functions in worker processes.
 *
 * Workers start as calls need them and are reused; an idle executor does not keep the program alive, unfinished calls
 * do.
 *
 * @example
 * await using pool = new ProcessPoolExecutor({ maxWorkers: 4 })
 * const sum = await pool.submit((a: number, b: number) => a + b, 1, 2)
 */
export declare class ProcessPoolExecutor extends Executor {
    #private;
    /**
     * @throws TypeError or RangeError that names the wrong option; `SerializationError` when `initargs` cannot travel;
     * `NestingError` in a worker ten levels deep; `WorkerSpawnError` when the system has no descriptors or memory for a
     * pool; `UnsupportedPlatformError` where pools cannot run.
     */
    constructor(options?: ProcessPoolOptions);
    /**
     * Calls `fn(...args)` in a worker process.
     *
     * @returns A future of what it returns or resolves to. Arguments that cannot travel fail the future.
     * @throws `ShutdownError`, `BrokenProcessPool`, `QueueFullError`, `WorkerSpawnError` (no worker could be started) or
     * `TypeError` (`fn` cannot be a task): then nothing of the call is kept.
     */
    submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>>;
    /**
     * {@link submit} with options.
     *
     * @throws As `submit`, and TypeError or RangeError that names a wrong option.
     */
    run<A extends unknown[], R>(fn: TaskFunction<A, R>, args: readonly [...A], options?: RunOptions): Future<Awaited<R>>;
    /**
     * Takes no more calls, lets those that there are finish, and the workers leave. May be called again, and from
     * anywhere.
     *
     * @returns A promise that resolves when all workers are gone, or with `wait: false` at once.
     */
    shutdown(options?: ShutdownOptions): Promise<void>;
    /** Stops everything by SIGTERM, and by SIGKILL after 5 s: running calls fail with `WorkerTerminatedError`. */
    terminateWorkers(): Promise<void>;
    /** Stops everything by SIGKILL: running calls fail with `WorkerTerminatedError`, others are cancelled. */
    killWorkers(): Promise<void>;
    /** Resolves when the queue has room for a call; see the option `maxQueue`. */
    ready(): Promise<void>;
    /** What the pool does and has done. */
    stats(): PoolStats;
    /** Rings, states and process ids as text, for somebody who wants to know why nothing happens. */
    dumpState(): string;
    /** Unfinished calls keep the event loop alive: the default. */
    ref(): this;
    /** Nothing of this executor keeps the event loop alive. */
    unref(): this;
    /** Adds a listener. */
    on<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Adds a listener for one time. */
    once<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Removes a listener. */
    off<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** {@link off} under the name that `events.once()` uses. */
    removeListener<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Chunks of items travel as single calls. */
    protected mapSource<R>(fn: TaskFunction, call: MapCall): MapSource<unknown, R>;
}

/** Options of a {@link ProcessPoolExecutor}. */
export declare interface ProcessPoolOptions {
    /**
     * At most so many worker processes, started as calls need them.
     * Default: the processors that this process may use, its control group's CPU quota included.
     */
    maxWorkers?: number;
    /**
     * Default: `'spawn'` with `maxTasksPerChild`, else that of `getStartMethod()`. An explicit `'fork'` excludes
     * `maxTasksPerChild`, `idleTimeout`, `maxMemoryPerWorker`, `execArgv`, `env`, `cwd` and `stdio: 'ignore'`; where it
     * was set, these mean `'spawn'`.
     */
    startMethod?: StartMethod;
    /** Called and awaited once in each worker, before its first call. If it throws the worker does not start. */
    initializer?: TaskFunction<never[], unknown>;
    /** The arguments of `initializer`. */
    initargs?: readonly unknown[];
    /** A worker is replaced after so many calls. A chunk of `map` is one call. Not with `'fork'`. Default: never. */
    maxTasksPerChild?: number;
    /**
     * What the death of a worker does. `'break'`, Python's rule and the default: every unfinished future fails and the
     * executor is unusable. `'isolate'`: only the call that the worker ran fails, and the worker is replaced.
     */
    onWorkerDeath?: 'break' | 'isolate';
    /** A worker that was idle for so many milliseconds leaves. Default: `Infinity`. */
    idleTimeout?: number;
    /** A worker must have started, `preload` and `initializer` included, within so many milliseconds. Default: 30,000. */
    startTimeout?: number;
    /** A worker whose resident memory exceeds so many bytes is replaced between calls. Default: `Infinity`. */
    maxMemoryPerWorker?: number;
    /** Calls that no worker has claimed, at most: beyond that `submit()` throws `QueueFullError`. Default: `Infinity`. */
    maxQueue?: number;
    /** Node's own options for the workers. Default: those of this process, but for debugging and profiling ones. */
    execArgv?: readonly string[];
    /** The workers' whole environment. Default: this process's. */
    env?: Readonly<Record<string, string | undefined>>;
    /** The workers' working directory. Default: this process's. */
    cwd?: string;
    /** Where the workers' standard output and error go. Default: `'inherit'`. */
    stdio?: 'inherit' | 'ignore';
    /** Modules that each worker loads before its first call. Specifiers resolve from the current working directory. */
    preload?: readonly (string | URL)[];
    /** Names the pool in messages, and its workers in process listings. */
    name?: string;
}

/** The fields of a `QueueFullError`. */
declare interface QueueFullDetails extends ErrorDetails {
    maxQueue: number;
}

/** `maxQueue` calls wait already; this one was not accepted. Wait for `ready()` and submit again. */
export declare class QueueFullError extends MillraceError {
    readonly code: string;
    readonly maxQueue: number;
    constructor(message: string, details: QueueFullDetails);
}

/**
 * Stands for an error of a class that this process does not know. Its `name`, `message`, `code`, own fields and `cause`
 * are the original's: compare `name` or `code` where you would have used `instanceof`.
 */
export declare class RemoteError extends MillraceError {
    /** The original's own `code`, which need not be a string then; else `ERR_MILLRACE_REMOTE`. */
    readonly code: string;
    readonly remote: RemoteOrigin;
    constructor(message: string, details: RemoteErrorDetails);
}

/** The fields of a `RemoteError`. */
declare interface RemoteErrorDetails extends ErrorDetails {
    remote: RemoteOrigin;
    /** The original's own `code`, whatever its type. */
    code?: unknown;
}

/** What is known of an error in the process where it was thrown. */
export declare interface RemoteOrigin {
    name: string;
    stack: string;
    pid: number;
}

declare type Result<R> = IteratorResult<R, undefined>;

/** Functions that a job of a {@link Pool} calls when it is over. */
export declare interface ResultCallbacks<T> {
    /**
     * Called with the value of a job that succeeded, before the result is ready; before the method returns if there is
     * nothing to do. What it throws becomes the job's outcome in place of the value.
     */
    callback?: (value: T) => unknown;
    /**
     * Called with the error of a job that failed, in the same way. What it throws becomes the job's error, with the
     * original one at the end of its chain of causes.
     */
    errorCallback?: (error: any) => unknown;
}

/** When {@link wait} returns. */
declare type ReturnWhen = (typeof CONDITIONS)[number];

/**
 * Runs what is registered in this thread with an exit priority of at least `minPriority`; what is registered meanwhile
 * stays for another time.
 *
 * Without `minPriority` it runs all, also what is registered meanwhile, until none is left, and forgets what has no
 * exit priority, as the exit does. A callback that registers others for ever is stopped, with a warning.
 *
 * Pools are finalizers of priority 15: their running calls fail as terminated, those that wait are cancelled, and they
 * take no more. Leave them alone by a minimum of 16.
 *
 * Callbacks may do anything, such as register, cancel or run finalizers.
 *
 * @throws TypeError or RangeError that names `minPriority`.
 */
export declare function runFinalizers(minPriority?: number): void;

/**
 * As {@link runFinalizers}, and waits for the promise that a callback returns before the next one is called: for
 * clean-up that cannot be synchronous, at the end of a program that ends by itself. Never rejects for what a callback
 * does.
 *
 * @throws TypeError or RangeError that names `minPriority`.
 */
export declare function runFinalizersAsync(minPriority?: number): Promise<void>;

/** Options of {@link ProcessPoolExecutor.run}. */
export declare interface RunOptions {
    /** Cancels the call: at once if it waits, by stopping its worker if it runs. */
    signal?: AbortSignal;
    /** Milliseconds that the call may run, from when a worker claims it. Default: no limit. */
    timeout?: number;
    /** Milliseconds from the abort of `taskContext().signal` to SIGTERM when the call is stopped. Default: 0. */
    grace?: number;
    /**
     * How often the call is repeated after its worker died (with `onWorkerDeath: 'isolate'`; else that breaks the
     * executor) or after `timeout`, which holds for each attempt. One attempt is over before the next one starts, behind
     * all calls that wait; the last one's error is the call's. What a task throws and `process.exit()` in it repeat
     * nothing. The arguments are kept in memory until the call is over. Default: 0.
     */
    retries?: number;
    /** Names the call in errors, beside the task. */
    label?: string;
    /**
     * ArrayBuffers that the call takes along, as `postMessage` does: detached here as soon as the call is taken. A {@link
     * SharedBuffer} is not copied. Not together with `retries`, if it is to move without a copy.
     */
    transfer?: readonly ArrayBuffer[];
}

/** The fields of a `SerializationError`. */
declare interface SerializationDetails extends ErrorDetails {
    stage: 'arguments' | 'result';
    path?: string;
}

/**
 * The arguments or the result of a call cannot be encoded or decoded: a function, a symbol, a promise, a throwing
 * getter. Only that call fails. `path` points at the offending value; send something that can be cloned instead.
 */
export declare class SerializationError extends MillraceError {
    readonly code: string;
    readonly stage: 'arguments' | 'result';
    /** For example `args[0].rows[3].fn` or `result.x`; undefined when decoding failed. */
    readonly path: string | undefined;
    constructor(message: string, details: SerializationDetails);
}

/**
 * Says how workers are started from now on, in this thread: once, and best at the start of the main program. Executors
 * and pools that exist, and the workers themselves, are not concerned.
 *
 * @throws `InvalidStateError` when it was called before, without `force`; `ForkUnsafeError` for `'fork'` in a process
 * that cannot be forked; TypeError for what is no start method, or not available.
 */
export declare function setStartMethod(method: StartMethod, options?: SetStartMethodOptions): void;

/** Options of {@link setStartMethod}. */
export declare interface SetStartMethodOptions {
    /** Whether a method that was set before may be changed. Default: false. */
    force?: boolean;
}

/**
 * An ArrayBuffer in the memory that host and worker share: it moves between them without being copied.
 *
 * | step | in code |
 * |---|---|
 * | the host allocates one and fills it | `const buffer = SharedBuffer.allocate(bytes, pool)` |
 * | it moves to a worker | `pool.run(fn, [new Float64Array(buffer)], { transfer: [buffer] })` |
 * | the worker changes it, and returns it or a view of all of it: it moves back | `return array` |
 *
 * A task allocates one by `SharedBuffer.allocate(bytes)`. Whoever has moved a buffer has it no more: it is detached, as
 * by `postMessage`, so that views of it are empty and new ones throw a `TypeError`. One that is an argument without
 * being in `transfer` is cloned, like any ArrayBuffer.
 *
 * It is memory of one worker, of which there are at most 64 pieces with 512 MiB. It moves by one copy, and nothing else
 * differs, where there was no room for another, or it has less than 500 bytes; where its call cannot go to that worker,
 * which is busy or gone; where the call has `retries`; and where it lies in an object, or a view of a part of it is
 * sent.
 *
 * Its memory is free again when it is garbage, here or there, and when the worker ends.
 */
export declare class SharedBuffer extends ArrayBuffer {
    /**
     * A buffer of so many zero bytes.
     *
     * @param executor - Whose worker is to get it. In a task it may be left out: then the buffer is for its result.
     * @throws RangeError or TypeError that names the argument, or RangeError when there is no memory; `ShutdownError`,
     * `BrokenProcessPool` and `WorkerSpawnError` as `submit()`.
     */
    static allocate(bytes: number, executor?: SharedMemoryOwner): SharedBuffer;
    /** Whether it has moved away. */
    get moved(): boolean;
}

/** Whoever shares memory with workers, and takes buffers in it along with calls: a {@link ProcessPoolExecutor}. */
declare interface SharedMemoryOwner {
    /** Calls a function in a worker; the buffers of `transfer` move there. */
    run(fn: never, args: never, options?: {
        transfer?: readonly ArrayBuffer[];
    }): unknown;
}

/**
 * The executor was shut down and takes no further calls; futures handed out before keep working. Make a new executor.
 */
export declare class ShutdownError extends MillraceError {
    readonly code: string;
}

/** Options of {@link ProcessPoolExecutor.shutdown}. */
export declare interface ShutdownOptions {
    /** Whether the promise resolves only when all workers are gone. Default: true. */
    wait?: boolean;
    /** Cancels what no worker has claimed, before `shutdown()` returns. Default: false. */
    cancelFutures?: boolean;
    /**
     * Rejects with a `TimeoutError` after so many milliseconds, and goes on draining; with `kill` it kills then and
     * resolves.
     */
    timeout?: number;
    /** Kills the workers and all that they started: at once, or when `timeout` has passed. Default: false. */
    kill?: boolean;
}

/** What {@link getContext} returns: constructors whose workers are started in one way. */
export declare interface StartContext {
    readonly ProcessPoolExecutor: typeof ProcessPoolExecutor;
    readonly Pool: typeof Pool;
}

/**
 * How workers are started. `'spawn'`: a fresh Node process each. `'forkserver'`, on Linux: one process loads the
 * modules of `preload` and forks the workers, which share its memory until they write to it; it must not leave timers,
 * threads, or open files and sockets. `'fork'`, on Linux: this process forks all its workers at once, in a turn of the
 * event loop after the first call, and none later: one that leaves has no successor. Listeners of `process`, finalizers
 * and pools stay behind in the program; a reference to `Math.random` that was kept before yields the same numbers in
 * all of them. It is refused with its reasons in a process that cannot be forked (see `forkSafety()`), as an ordinary
 * one never can.
 */
export declare type StartMethod = 'spawn' | 'forkserver' | 'fork';

/** What a task may know of itself; see {@link taskContext}. */
export declare interface TaskContext {
    /** The call's number, unique in its pool. All items of a chunk share their chunk's. */
    readonly taskId: number;
    /** The worker's number, unique in its pool. */
    readonly workerId: number;
    /** Aborts when the host stops this call: by `cancel({ kill: true })`, an aborted signal or an expired timeout. */
    readonly signal: AbortSignal;
}

/** The task that the calling code belongs to; undefined outside a task, and once its outcome is decided. */
export declare function taskContext(): TaskContext | undefined;

/** The fields of a `TaskExitError`. */
declare interface TaskExitDetails extends ErrorDetails {
    exitCode: number;
}

/** The task called `process.exit()`. Only this call fails; the worker is replaced. Throw an error or return instead. */
export declare class TaskExitError extends MillraceError {
    readonly code: string;
    readonly exitCode: number;
    constructor(message: string, details: TaskExitDetails);
}

/** Any function that can be a task. */
export declare type TaskFunction<A extends unknown[] = never[], R = unknown> = (...args: A) => R;

/**
 * The worker could not load the task's module, or the module has no such export; the `cause` is the loader's error.
 * Every call to it fails at once until the module is repaired; a new pool is not needed then.
 */
export declare class TaskLoadError extends MillraceError {
    readonly code: string;
}

/** The fields of a `TaskTimeoutError`. */
declare interface TaskTimeoutDetails extends ErrorDetails {
    timeout: number;
    pid: number;
}

/**
 * A call ran longer than its own `timeout` and was stopped, together with its worker, which is replaced. The clock
 * starts when a worker claims the call. Allow it more time, or make the task listen to `taskContext().signal` and give
 * it a
 * `grace` in which to clean up.
 */
export declare class TaskTimeoutError extends TimeoutError {
    readonly code: string;
    /** Milliseconds that the call was allowed. */
    readonly timeout: number;
    /** The worker that was stopped. */
    readonly pid: number;
    constructor(message: string, details: TaskTimeoutDetails);
}

/**
 * A wait ran out: `result({ timeout })`, `exception`, `resultSync`, `asCompleted`, `map` or `shutdown`. Only the
 * waiting ended; the task goes on, and one may wait again. To stop the task itself use `run({ timeout })` or
 * `cancel({ kill: true })`.
 */
export declare class TimeoutError extends MillraceError {
    readonly code: string;
}

/** The fields of an `UnsupportedPlatformError`. */
declare interface UnsupportedPlatformDetails extends ErrorDetails {
    missing: readonly string[];
}

/**
 * There is no binary for this platform, or the kernel lacks a feature that has no fallback: `missing` names what.
 * Install the package with its optional dependencies, or use a supported platform.
 */
export declare class UnsupportedPlatformError extends MillraceError {
    readonly code: string;
    readonly missing: readonly string[];
    constructor(message: string, details: UnsupportedPlatformDetails);
}

/**
 * Waits for several futures, of any executors. A future that was given twice counts once; a cancelled one is done.
 *
 * When the timeout expires, the promise resolves to what is done by then; it rejects for bad arguments only.
 */
export declare function wait<F extends Future<unknown>>(futures: Iterable<F>, options?: WaitForOptions): Promise<WaitResult<F>>;

/** Options of {@link wait}. */
export declare interface WaitForOptions extends WaitOptions {
    /**
     * `'ALL_COMPLETED'`: all futures are done. `'FIRST_COMPLETED'`: at least one is. `'FIRST_EXCEPTION'`: one failed, or
     * all are done; a cancelled future is done but has not failed. Default: `'ALL_COMPLETED'`.
     */
    returnWhen?: ReturnWhen;
}

/** Options of every operation that waits. */
export declare interface WaitOptions {
    /** Milliseconds; 0 and less look once. Default: no limit. It limits the waiting only: the task goes on. */
    timeout?: number;
}

/** What {@link wait} found: each future that was given is in exactly one of the sets. */
export declare interface WaitResult<F> {
    done: Set<F>;
    notDone: Set<F>;
}

/** How one worker process ended. `exitCode` and `signal` are both null when another party reaped the process. */
export declare interface WorkerDeath {
    pid: number;
    exitCode: number | null;
    signal: NodeJS.Signals | null;
    /** Absent when the worker was idle. */
    task?: WorkerDeathTask;
}

/** The call that a worker was running when it died. */
export declare interface WorkerDeathTask {
    taskId: number;
    /** The task function's name, as far as it has one. */
    name: string;
    /** The `label` given to `run()`. */
    label?: string;
}

/** The fields of a `WorkerDiedError`. `task` goes into the only entry of `workers`, unless that is given itself. */
declare interface WorkerDiedDetails extends WorkerDeath, BrokenProcessPoolDetails {
    hint?: string;
}

/**
 * The worker that ran this call died, in a pool that isolates deaths: this call fails, the worker is replaced, the pool
 * goes on. The call may have run in part; repeat it only if that is harmless (`run({ retries })` does it for you).
 */
export declare class WorkerDiedError extends BrokenProcessPool {
    readonly code: string;
    readonly pid: number;
    readonly exitCode: number | null;
    readonly signal: NodeJS.Signals | null;
    /** A likely reason, when there is one: for instance that the machine ran out of memory. */
    readonly hint?: string;
    constructor(message: string, details: WorkerDiedDetails);
}

/** Why a worker left. */
export declare type WorkerExitReason = 'shutdown' | 'recycled' | 'idle' | 'killed' | 'died' | 'failed-start';

/**
 * A worker process could not be started: the `cause` has the `errno` and `syscall`. Usual reasons are the process limit
 * (EAGAIN), too many open files (EMFILE), or a `cwd` that does not exist (ENOENT). The call was not accepted.
 */
export declare class WorkerSpawnError extends MillraceError {
    readonly code: string;
}

/** One worker process. */
export declare interface WorkerStats {
    pid: number;
    /** Its number in the pool. */
    workerId: number;
    state: 'starting' | 'idle' | 'busy' | 'leaving';
    /** The call that it runs. */
    task?: WorkerDeathTask;
    /** Calls that it has finished. */
    tasksDone: number;
    /** When it was started. */
    startedAt: Date;
    /** Resident bytes, where the system tells. */
    rss?: number;
}

/** The fields of a `WorkerTerminatedError`. */
declare interface WorkerTerminatedDetails extends ErrorDetails {
    pid: number;
}

/**
 * The call was running when `terminateWorkers()`, `killWorkers()` or `shutdown({ kill: true })` ended its worker on
 * purpose. The call may have run in part.
 */
export declare class WorkerTerminatedError extends MillraceError {
    readonly code: string;
    readonly pid: number;
    constructor(message: string, details: WorkerTerminatedDetails);
}

export { }
