import { inspect } from 'node:util';

/** The arguments of a function, followed by `Rest`. The arguments may be left out if the function needs none. */
export declare type ArgumentsOf<A extends unknown[], Rest extends unknown[] = []> = [] extends A ? [args?: readonly [...A], ...rest: Rest] : [args: readonly [...A], ...rest: Rest];

/**
 * Yields futures, of any executors, as they are done: first the futures that are done already, then the others as they
 * come. Each future comes once, also a cancelled one. The iterator keeps no future that it has yielded.
 *
 * `timeout` counts from this call. When it expires while `next()` waits, `next()` rejects with a `TimeoutError` and the
 * iterator ends. Futures that are done by then are yielded first. In the same way `next()` rejects with the reason of
 * `signal` when that is aborted; with a signal that is aborted already, nothing is yielded.
 *
 * @throws TypeError when a member of `futures` is no future; TypeError or RangeError for a wrong option.
 */
export declare function asCompleted<F extends Future<unknown>>(futures: Iterable<F>, options?: WaitOptions): CompletionIterator<F>;

/**
 * An asynchronous iterator over items, for `for await` or for `next()`. It can be used as an `AsyncIterableIterator`,
 * whose type says nothing of the end before TypeScript 5.6.
 */
export declare interface AsyncItems<T> extends AsyncIterator<T, undefined> {
    [Symbol.asyncIterator](): AsyncItems<T>;
}

/**
 * The result of a job of a {@link Pool}.
 *
 * A result can be awaited like a promise. It can also be dropped: a failed result that nobody looks at causes no
 * `unhandledRejection`. Its pool is not collected before the job is over.
 */
export declare class AsyncResult<T> implements PromiseLike<T> {
    #private;
    private constructor();
    /**
     * A promise of the value. It rejects with the job's error (the same object each time), with a `TimeoutError` when the
     * time of the wait is over, or with the reason of `options.signal`; then the job goes on.
     */
    get(options?: WaitOptions): Promise<T>;
    /**
     * Resolves when the job is over, whatever its outcome, or when the time of the wait is over. Rejects with the reason
     * of `options.signal` when that is aborted.
     */
    wait(options?: WaitOptions): Promise<void>;
    /** Whether the job is over, its callback included. */
    ready(): boolean;
    /**
     * Whether the job ended with a value.
     *
     * @throws InvalidStateError while the job is not over.
     */
    successful(): boolean;
    /**
     * All errors of a job that is over, in the order in which they became known. For a map: the error of each failed
     * item, and one error for each chunk that was lost as a whole. `get()` rejects with the first error, unless a
     * callback threw or the pool was terminated.
     */
    get errors(): readonly unknown[];
    /** As `Promise.prototype.then`. */
    then<A = T, B = never>(onfulfilled?: ((value: T) => A | PromiseLike<A>) | null, onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<A | B>;
    /** As `Promise.prototype.catch`. */
    catch<B = never>(onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B>;
    /** As `Promise.prototype.finally`. */
    finally(onfinally?: (() => void) | null): Promise<T>;
    get [Symbol.toStringTag](): string;
    /** For example `<AsyncResult #7 state=finished returned Array>`. Runs no code of the value's. */
    toString(): string;
    [inspect.custom](): string;
}

/** The details of a `BindingError`. */
declare interface BindingDetails extends ErrorDetails {
    reason: BindingFailure;
}

/**
 * The package cannot be imported, since its native addon is not loaded, for `reason`. The message says what to do, and
 * `cause` is the error of Node or of the system's dynamic loader, if there is one.
 */
export declare class BindingError extends MillraceError {
    readonly code: string;
    readonly reason: BindingFailure;
    constructor(message: string, details: BindingDetails);
}

/**
 * Why the native addon was not loaded:
 *
 * - `'runtime'`: this is no Node.js, or an old one.
 * - `'platform'`: there is no binary for this operating system or processor.
 * - `'missing'`: the package with the binary is not installed.
 * - `'bundled'`: a bundler has taken this package apart.
 * - `'permission'`: Node was started so that it loads no addons, or may not read this one.
 * - `'library'`: the system's dynamic loader refused the binary, mostly for want of a library.
 * - `'damaged'`: the file is no whole binary for this machine.
 * - `'version'`: the binary is that of another version of the package.
 * - `'other'`: anything else, see `cause`.
 */
export declare type BindingFailure = 'runtime' | 'platform' | 'missing' | 'bundled' | 'permission' | 'library' | 'damaged' | 'version' | 'other';

/**
 * The executor is broken and runs no further calls. All its unfinished futures have failed with this error, and each
 * later `submit()` throws it. Make a new executor, and submit again the calls that may run twice: each may have run in
 * part.
 */
export declare class BrokenExecutor extends MillraceError {
    readonly code: string;
}

/**
 * The pool is broken, because a worker died under `onWorkerDeath: 'break'`, an initializer failed (its error is the
 * `cause`), or workers died again and again before they could work. `workers` tells how each died and during which
 * call. Under `onWorkerDeath: 'isolate'` only the calls of the dead worker fail.
 */
export declare class BrokenProcessPool extends BrokenExecutor {
    readonly code: string;
    /** The workers whose deaths broke the pool; empty when no worker died. */
    readonly workers: readonly WorkerDeath[];
    constructor(message: string, details?: BrokenProcessPoolDetails);
}

/** The details of a `BrokenProcessPool`. */
export declare interface BrokenProcessPoolDetails extends ErrorDetails {
    workers?: readonly WorkerDeath[];
}

/**
 * The call has no result: it was cancelled before it ran, or stopped by `cancel({ kill: true })` or an aborted signal.
 * The signal's reason is then the `cause`. Submit the call again if it is still wanted.
 */
export declare class CancelledError extends MillraceError {
    readonly code: string;
}

/** Options of {@link Future.cancel}. */
export declare interface CancelOptions {
    /** Stop the call also when it is running: its worker is ended and replaced. Default: false. */
    kill?: boolean;
}

/** The future of a chunk. */
declare interface ChunkFuture<R> extends Future<ChunkOutcome<R>> {
    /** Bytes of the items as they travel; absent: unknown. */
    readonly bytes?: number;
}

/** The outcomes of the items of a chunk. */
declare interface ChunkOutcome<R> {
    /**
     * The value of each item; for a failed item, anything. The receiver becomes the owner, and clears what it has read.
     */
    readonly values: ArrayLike<R>;
    /**
     * The errors of failed items by their index. The receiver becomes the owner. In place of an error stands `end`, the
     * very object, for an item without an outcome.
     */
    readonly errors?: Map<number, unknown> | undefined;
    /** Set if what ends the map has kept items of the chunk from running. */
    readonly end?: MapEnd | undefined;
    /** Milliseconds that workers ran the chunk, if known: they make automatic chunk sizes more precise. */
    readonly elapsed?: number;
}

/**
 * An iterator over futures, in the order in which they are done.
 *
 * It can be used as an `AsyncIterableIterator`, but is a type of its own: in `for await` the compiler would take the
 * elements of an `AsyncIterableIterator` for awaited, and so report results where there are futures.
 */
export declare interface CompletionIterator<F extends Future<unknown>> extends AsyncDisposable {
    next(): Promise<IteratorResult<F, undefined>>;
    return(): Promise<IteratorResult<F, undefined>>;
    throw(error?: unknown): Promise<IteratorResult<F, undefined>>;
    [Symbol.asyncIterator](): this;
}

declare const CONDITIONS: readonly ['ALL_COMPLETED', 'FIRST_COMPLETED', 'FIRST_EXCEPTION'];

/**
 * Makes functions of the calling module callable in workers by reference: a worker imports the module and calls the
 * function there. In this process the functions stay callable as before.
 *
 * @param url - The calling module's `import.meta.url`; in CommonJS its `__filename`.
 * @param tasks - The functions by name. They need not be exported.
 * @returns The functions by name, for destructuring.
 * @throws TypeError when `url` is no URL and no absolute path, or a member of `tasks` is no function.
 * @example
 * export const { parse } = defineTasks(import.meta.url, { parse: (line: string) => JSON.parse(line) as Row })
 */
export declare function defineTasks<T extends Functions>(url: string | URL, tasks: T): NoInfer<T>;

/** The details that the constructors of all errors of this package take. */
export declare interface ErrorDetails {
    /** The reason for this error: any value, as for `new Error(message, { cause })`. */
    cause?: unknown;
    /** The label of the call that failed. */
    label?: string | undefined;
}

/**
 * The base class of executors. A subclass implements `submit` and `shutdown`, and settles the futures that it returns;
 * `map` and the other methods build on these two.
 *
 * @example
 * await using executor = new SomeExecutor()
 * const future = executor.submit(task, 1, 2)
 */
export declare abstract class Executor implements AsyncDisposable {
    /**
     * Calls `fn(...args)` somewhere else.
     *
     * @returns A future of the value that `fn` returns or resolves to.
     * @throws ShutdownError, BrokenExecutor or QueueFullError when the call is not accepted.
     */
    abstract submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>>;
    /** Takes no more calls; accepted calls finish. May be called again, and from anywhere. */
    abstract shutdown(options?: ExecutorShutdownOptions): Promise<void>;
    /** Resolves when `submit` has room for another call. */
    ready(options?: ReadyOptions): Promise<void>;
    /**
     * Calls `fn` with each item of an iterable, and yields the results in the order of the items. The failure of one item
     * does not affect the others: see {@link MapIterator}. Input of any length, also an endless one, is read as far ahead
     * as `buffersize` says.
     *
     * @throws TypeError or RangeError for a wrong argument, and the errors of `submit` if the first call is not accepted.
     * A failure of the input comes behind the results of the items before it.
     *
     * @example
     * for await (const row of pool.map(parse, lines)) …
     * for await (const { status, item, reason } of pool.map(parse, lines, { settle: true })) …
     * const rows = await pool.map(parse, lines).toArray()
     */
    map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options: MapOptions & {
        settle: true;
    }): MapIterator_2<ItemOutcome<T, Awaited<R>>>;
    map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: MapOptions & {
        settle?: false;
    }): MapIterator_2<Awaited<R>>;
    map<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: MapOptions): MapIterator_2<Awaited<R> | ItemOutcome<T, Awaited<R>>>;
    /** Does as {@link map} for a function of several arguments: each item is an array of arguments. */
    starmap<A extends unknown[], R>(fn: TaskFunction<A, R>, items: Iterable<Readonly<NoInfer<A>>> | AsyncIterable<Readonly<NoInfer<A>>>, options: MapOptions & {
        settle: true;
    }): MapIterator_2<ItemOutcome<A, Awaited<R>>>;
    starmap<A extends unknown[], R>(fn: TaskFunction<A, R>, items: Iterable<Readonly<NoInfer<A>>> | AsyncIterable<Readonly<NoInfer<A>>>, options?: MapOptions & {
        settle?: false;
    }): MapIterator_2<Awaited<R>>;
    starmap<A extends unknown[], R>(fn: TaskFunction<A, R>, items: Iterable<Readonly<NoInfer<A>>> | AsyncIterable<Readonly<NoInfer<A>>>, options?: MapOptions): MapIterator_2<Awaited<R> | ItemOutcome<A, Awaited<R>>>;
    /** Calls `shutdown()`, for `await using`. */
    [Symbol.asyncDispose](): Promise<void>;
    /**
     * The source that runs the calls of `map`. This one submits each item as a call of its own; an executor that can run
     * many items at once overrides this method.
     */
    protected mapSource<R>(fn: TaskFunction, call: MapCall): MapSource<unknown, R>;
}

/** Options of {@link Executor.shutdown} that every executor has. */
export declare interface ExecutorShutdownOptions {
    /** Whether the promise resolves only when everything has ended. Default: true. */
    wait?: boolean;
    /** Cancel the calls that have not begun. Default: false. */
    cancelFutures?: boolean;
}

/**
 * Runs a callback at most once, at the first of these events: `call()`, the collection of an object, a pass of
 * {@link runFinalizers}, or the end of this process or thread. After Python's `multiprocessing.util.Finalize`.
 *
 * A finalizer belongs to the thread that made it. It stays registered although nobody keeps a reference to it.
 *
 * - A collection may come late or never. A callback that has to run needs an `exitPriority`.
 * - Neither the callback nor its arguments may hold the object, which would then never be collected. Nothing can detect
 *   this mistake. Pass the callback's needs (a path, a descriptor) in `args`.
 * - The callback runs in the async context in which the finalizer was made. So the stores of `AsyncLocalStorage` there
 *   may not hold the object either.
 * - At the exit, all callbacks with a priority of 0 and more are over before the first below 0 begins. The exit is: the
 *   event loop is empty, `process.exit()`, an uncaught error, the end of a `worker_threads` thread or of a Millrace
 *   worker. It is not: a killed process, a terminated thread. A callback at the exit has to be synchronous.
 * - An error of the callback becomes a process warning (`MILLRACE_FINALIZER`) and stops nothing; `call()` throws it
 *   instead. A promise that the callback returns to a pass that does not wait for it becomes such a warning, too.
 */
export declare class Finalize<A extends unknown[] = [], R = unknown> {
    #private;
    /**
     * @param obj - The object whose collection runs the callback; null if only the exit matters.
     * @throws TypeError when `obj` is neither an object nor a function, or null without `options.exitPriority`; TypeError
     * or RangeError that names another wrong argument. Nothing is registered then.
     */
    constructor(obj: object | null, callback: (...args: A) => R, options: FinalizeOptionsFor<A> & {
        exitPriority: number;
    });
    constructor(obj: object, callback: (...args: A) => R, ...options: [] extends A ? [options?: FinalizeOptionsFor<A>] : [options: FinalizeOptionsFor<A>]);
    /**
     * Runs the callback now, and returns or throws what the callback does. Does nothing and returns undefined when the
     * callback has run, was cancelled, or belongs to the process from which this one was forked.
     */
    call(): R | undefined;
    /** Cancels the callback. Harmless when it has run or was cancelled before. */
    cancel(): void;
    /** Whether the callback may still run. */
    stillActive(): boolean;
    [inspect.custom](): string;
}

/** Options of {@link Finalize}. */
export declare interface FinalizeOptions<A extends readonly unknown[] = readonly unknown[]> {
    /** The arguments of the callback. Default: none. */
    args?: readonly [...A];
    /**
     * A whole number. With it the callback also runs at the exit and in {@link runFinalizers}: higher numbers first, and
     * the newest first among equal numbers. Pools end their workers at 15. Without it (the default) the exit does not run
     * the callback.
     */
    exitPriority?: number;
}

/** Options for a callback with arguments `A`: they may be left out when the callback needs no arguments. */
export declare type FinalizeOptionsFor<A extends readonly unknown[]> = [] extends A ? FinalizeOptions<A> : FinalizeOptions<A> & {
    args: readonly [...A];
};

/** The result of {@link forkSafety}. */
export declare interface ForkSafety {
    safe: boolean;
    /** Why the process cannot be forked safely, one sentence each; empty when it can. */
    reasons: string[];
}

/**
 * Tells whether this process can be forked safely, which the start method `'fork'` requires.
 *
 * An ordinary Node process never can: it computes with several threads, and a child without these threads waits for
 * them for ever. The check also finds open files, sockets and work in progress. It cannot find a lock that native code
 * holds, or an unref'd timer, which goes off in each fork.
 */
export declare function forkSafety(): ForkSafety;

/** The details of a `ForkUnsafeError`. */
declare interface ForkUnsafeDetails extends ErrorDetails {
    reasons: readonly string[];
}

/** The process cannot be forked safely, for `reasons`. Use the start method `'spawn'` or `'forkserver'`. */
export declare class ForkUnsafeError extends MillraceError {
    readonly code: string;
    readonly reasons: readonly string[];
    constructor(message: string, details: ForkUnsafeDetails);
}

declare type Functions = Record<string, (...args: never[]) => unknown>;

/**
 * The result of a call, which may not be there yet.
 *
 * A future can be awaited like a promise. Unlike a promise it tells its state and can be cancelled. It can also be
 * dropped: a failed future that nobody looks at causes no `unhandledRejection`.
 *
 * Executors make futures. An executor of your own calls {@link setRunningOrNotifyCancel} before it runs a call, and
 * then {@link setResult} or {@link setException}.
 */
export declare class Future<T> implements PromiseLike<T> {
    private phase;
    /** The value, the error, or the `CancelledError` once somebody has asked for it. */
    private stored;
    /** Undefined, one listener, or several in the order of their registration. */
    private listeners;
    constructor();
    get state(): FutureState;
    get outcome(): FutureOutcome;
    /** Whether the call has returned, thrown, or been cancelled. */
    done(): boolean;
    /** Whether a worker has claimed the call and has not finished it. */
    running(): boolean;
    cancelled(): boolean;
    /**
     * Cancels the call if no worker has claimed it; with `kill` in any case. The future is then done at once, for
     * everybody who waits for it.
     *
     * @returns Whether the future is cancelled now, also by an earlier call.
     */
    cancel(options?: CancelOptions): boolean;
    /**
     * A promise of the result. It rejects with the error of the call (the same object each time), with a
     * `CancelledError`, with a `TimeoutError` when the time of the wait is over, or with the reason of `options.signal`.
     */
    result(options?: WaitOptions): Promise<T>;
    /**
     * A promise of the call's error; undefined when the call succeeded. It rejects only with a `CancelledError`, with a
     * `TimeoutError`, or with the reason of `options.signal`. A program may drop it: it causes no `unhandledRejection`.
     */
    exception(options?: WaitOptions): Promise<unknown>;
    /**
     * Waits for the result and blocks this thread: no other code of the thread runs meanwhile. Throws the errors with
     * which `result()` rejects.
     */
    resultSync(options?: TimeoutOptions): T;
    /**
     * Calls `fn` with this future as soon as the future is done; at once if it is done already. Callbacks are called
     * synchronously, in the order of registration, before promise reactions to the same future, and each in the async
     * context in which it was registered. An error of `fn` becomes a process warning.
     */
    addDoneCallback(fn: (future: Future<T>) => void): this;
    /** As `Promise.prototype.then`. */
    then<A = T, B = never>(onfulfilled?: ((value: T) => A | PromiseLike<A>) | null, onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<A | B>;
    /** As `Promise.prototype.catch`. */
    catch<B = never>(onrejected?: ((reason: any) => B | PromiseLike<B>) | null): Promise<T | B>;
    /** As `Promise.prototype.finally`. */
    finally(onfinally?: (() => void) | null): Promise<T>;
    get [Symbol.toStringTag](): string;
    /** For example `<Future #7 state=finished returned number>`. Runs no code of the result's. */
    toString(): string;
    [inspect.custom](): string;
    /**
     * For executors: tells that a call is about to run.
     *
     * @returns true, and the future is running now; false when the future is cancelled and the call must not run.
     * @throws InvalidStateError when the future is running or finished.
     */
    setRunningOrNotifyCancel(): boolean;
    /**
     * For executors: settles the future with the value that the call returned.
     *
     * @throws InvalidStateError when the future is done: its outcome stays.
     */
    setResult(value: T): void;
    /**
     * For executors: settles the future with the error that the call threw, which may be any value.
     *
     * @throws InvalidStateError when the future is done: its outcome stays.
     */
    setException(error: unknown): void;
    /** Whether a worker has claimed the call. Called only while the future is not done. */
    protected probeRunning(): boolean;
    /**
     * Takes the call back from wherever it waits; with `kill` also stops a running call. Called only while the future is
     * not done.
     *
     * @returns Whether the future has to be cancelled now.
     */
    protected requestCancel(_kill: boolean): boolean;
    /**
     * Blocks this thread until the future is done or `performance.now()` reaches `deadline`. With a deadline in the past
     * only the present state counts. Called only while the future is not done.
     */
    protected blockUntilDone(deadline: number | undefined): void;
    /** The number that {@link toString} shows. */
    protected displayId(): number;
    /** The error of a call that was cancelled without a reason. Called when somebody asks for the error. */
    protected makeCancelledError(): CancelledError;
    private addListener;
    private settle;
    private tellAll;
    /** Made when somebody asks: a future that nobody awaits costs no promise, and rejects none. */
    private promise;
    private timedOut;
    private invalidState;
}

/**
 * How a call ended; undefined before its end. Only the outcome tells a result of undefined from a thrown undefined.
 */
export declare type FutureOutcome = 'value' | 'error' | 'cancelled' | undefined;

/** The state of a call. `'finished'`: the call returned or threw. */
export declare type FutureState = 'pending' | 'running' | 'cancelled' | 'finished';

/**
 * The start methods that this system has, the default first. `'fork'` also requires that the process can be forked.
 */
export declare function getAllStartMethods(): StartMethod[];

/**
 * Returns the classes `ProcessPoolExecutor` and `Pool` bound to a start method: for libraries that must not depend on
 * the method that the program has set. They are subclasses of the ordinary classes, and the same classes for each call
 * with the same method. Their option `startMethod` may be left out, or has to name this method.
 *
 * @param method - Default: the present `getStartMethod()`.
 * @throws As `setStartMethod`, for a method that cannot be used.
 * @example
 * const { Pool } = getContext('spawn')
 * await using pool = new Pool(4)
 */
export declare function getContext(method?: StartMethod): StartContext;

/** The start method for pools without the option `startMethod`: the one that was set, else `'spawn'`. */
export declare function getStartMethod(): StartMethod;

/**
 * The results of {@link Pool.imap} or {@link Pool.imapUnordered}, for `for await` or for `next()`.
 *
 * `next()` rejects when its item's call failed (the other items of the same chunk are not affected) or when the input
 * threw. The next call of `next()` goes on with the items behind it. A loop with `for await` stops at the first
 * failure. Then, and whenever a loop is left early, the remaining calls are cancelled. The pool is not collected before
 * the iterator has all results.
 */
export declare class ImapIterator<R> implements AsyncItems<R> {
    #private;
    private constructor();
    /**
     * The next result. With a `timeout` it rejects with a `TimeoutError` when the result is not there by then. Nothing is
     * lost: the next call is for the same item.
     */
    next(options?: TimeoutOptions): Promise<IteratorResult<R, undefined>>;
    /**
     * All results that are not taken yet, as an array: at less cost than by a loop. Rejects with the first failure of an
     * item; then the remaining calls are cancelled. With `settle` all outcomes.
     */
    toArray(): Promise<R[]>;
    /** Cancels the remaining calls and closes the input. */
    return(): Promise<IteratorResult<R, undefined>>;
    /** Does as {@link return}, then rejects with `error`. */
    throw(error?: unknown): Promise<IteratorResult<R, undefined>>;
    /**
     * Returns an iterator for loops, which shares the results with this one. A failure in it ends the iteration: `for
     * await` itself would not do that.
     */
    [Symbol.asyncIterator](): AsyncItems<R>;
    /** Does as {@link return}. */
    [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@link Pool.imap} and {@link Pool.imapUnordered}: those of `map`, but the method says the order. */
export declare type ImapOptions = Omit<MapOptions, 'ordered'>;

/** The tasks of a module that is not loaded in this process: the module's exported functions, and promises of these. */
export declare type ImportedTasks<T> = {
    readonly [K in keyof T as Awaited<T[K]> extends (...args: never[]) => unknown ? K : never]: Awaited<T[K]>;
};

/**
 * Makes references to the exported functions of a module. Workers load the module; this process does not.
 *
 * A name is that of an export, or else of a function of the default export: so every function of an object that a
 * CommonJS module exports can be called, with this object as `this`. An export that is a promise of a function is
 * awaited.
 *
 * @param specifier - A URL, the path of a file (absolute, or with a dot from the current working directory), or the
 * name of a package as `import` takes it, resolved from the current working directory.
 * @throws TypeError when `specifier` is none of these; Node's resolution error when the name does not resolve.
 * @example
 * const jobs = importTasks<typeof import('./jobs.js')>(new URL('./jobs.js', import.meta.url))
 * await pool.submit(jobs.parse, line)
 */
export declare function importTasks<T extends object>(specifier: string | URL): ImportedTasks<T>;

/**
 * The object's present state does not allow the operation: for instance settling a settled future. The object is
 * unchanged. The calling program has a mistake: only one party may settle a future.
 */
export declare class InvalidStateError extends MillraceError {
    readonly code: string;
}

/**
 * Whether this process is a worker of a Millrace pool. A script that is its own task module tests this before it makes
 * a pool.
 */
export declare let isWorker: boolean;

/** The outcome of an item: what `map` yields with `settle: true`. */
export declare type ItemOutcome<T, R> = {
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

/** Options of {@link Pool.mapAsync} and {@link Pool.starmapAsync}. */
export declare interface MapAsyncOptions<T> extends ResultCallbacks<T> {
    /** The number of items that travel and run together, as one call. Default: such that each worker gets four chunks. */
    chunksize?: number;
}

/** How an executor has to run the calls of one `map`. No property may be absent: `Object.prototype` decides nothing. */
declare interface MapCall {
    /** Whether an item is a list of arguments, as for `starmap`, or the only argument. */
    readonly spread: boolean;
    /** Whether the size of chunks is measured: then a chunk that takes long may be divided. */
    readonly divides: boolean;
    /** Milliseconds that each item may run. */
    readonly taskTimeout: number | undefined;
    /** Milliseconds between the abort of a task's signal and the end of its worker. */
    readonly grace: number | undefined;
    /** Which items that failed run again. */
    readonly retries: RetryPolicy | undefined;
    /** The name of the calls in errors and in `taskContext()`. */
    readonly label: string | undefined;
}

/** What ends a map. The object marks the items that have no outcome because of it. */
declare interface MapEnd {
    readonly error: unknown;
}

/**
 * The results of a `map`, for `for await`.
 *
 * `next()` rejects when its item's call failed; the next call of `next()` goes on with the items behind it. A loop with
 * `for await` stops at the first failure. Then, and whenever a loop is left early, the remaining calls are cancelled.
 * An iterator that is merely dropped cancels nothing. With `settle` a failure is a value like others.
 *
 * A broken or closed pool, a failure of the input, `timeout` and `signal` end the map. The results that are there come
 * first; unless `ordered` is false, those up to the first item that has none. Then each `next()` rejects with the same
 * error: only a map whose last item was yielded, or that was left by `return()`, is `done`.
 */
declare class MapIterator_2<R> implements AsyncItems<R> {
    private pace;
    private feeder;
    private readonly source;
    /** Chunks with items to yield, the next first. Ordered: in the order of the input, also unfinished ones. */
    private readonly chunks;
    /** Unordered: the unfinished chunks, which are not in `chunks`. */
    private readonly unfinished;
    private readonly settle;
    /** The number of items in submitted chunks. */
    private accepted;
    /** Calls of `next()` without an answer. While there are any, no item is ready. */
    private readonly requests;
    private collector;
    private readonly timeout;
    private readonly deadline;
    private readonly signal;
    private readonly abortReaction;
    /** Runs only while somebody waits: an iterator that nobody reads does not hold the event loop. */
    private timer;
    /** Items of yielded chunks whose last item the consumer may not have seen yet. They still count as read ahead. */
    private yielding;
    private releaseScheduled;
    /** What has ended the map, raised after the last result. */
    private end;
    /** Nobody wants further results. */
    private closed;
    private sourceTold;
    private constructor();
    next(): Promise<Result<R>>;
    /**
     * All results that are not taken yet, as an array: at less cost than by a loop.
     *
     * @returns A promise that rejects with the first failure of an item; then the remaining calls are cancelled, and the
     * input is closed. With `settle` all outcomes. Unless `ordered`, in the order in which they come.
     */
    toArray(): Promise<R[]>;
    /** Cancels the remaining calls and closes the input. */
    return(): Promise<Result<R>>;
    /** Does as {@link return}, then rejects with `error`. */
    throw(error?: unknown): Promise<Result<R>>;
    /**
     * Returns an iterator for loops, which shares the results with this one. A failure in it ends the map: `for await`
     * itself would not do that.
     */
    [Symbol.asyncIterator](): AsyncItems<R>;
    /** Does as {@link return}. */
    [Symbol.asyncDispose](): Promise<void>;
    private startAsync;
    private start;
    private watchSignal;
    private host;
    private accept;
    private readonly chunkDone;
    /** Tells the source when nothing will be submitted and nothing is in flight, or nobody wants the results. */
    private tellSource;
    /** The chunk of the next result, if the result is there. */
    private readyChunk;
    private take;
    private isOver;
    /** Answers those calls of `next()` that can be answered, in their order; then `toArray()`. */
    private answer;
    private collect;
    /** The last item of the first chunk was taken. */
    private leave;
    private release;
    private expire;
    /** Ends the map before its last result. What is there already is still yielded, as far as its place is known. */
    private cut;
    private drop;
    /** Cancels all calls whose results are not yielded. Settles as closing the input does. */
    private close;
    private startTimer;
    private stopTimer;
}
export { MapIterator_2 as MapIterator }

/** Options of `map` and `starmap`. */
export declare interface MapOptions {
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

/** Runs the items of one `map`. The source keeps its executor alive, so the user of the iterator need not. */
declare interface MapSource<T, R> {
    /** The number of workers, for defaults that depend on it. */
    readonly maxWorkers: number;
    /** False if each item is a call of its own in any case: then chunks have one item. */
    readonly chunked: boolean;
    /**
     * Submits a chunk. An item is a value of the user's iterable; for `starmap` it is a list of arguments. When the
     * future fails or is cancelled, so do all items. Throws the errors of `submit`; at a `QueueFullError`, `map` waits
     * for `ready`.
     */
    submitChunk(items: readonly T[]): ChunkFuture<R>;
    /** Resolves when the queue has room. */
    ready(): Promise<void>;
    /** Why no further item is to be read: the executor takes no more calls. Items that were read still run. */
    refusal?(): Error | undefined;
    /** Called when items are read that cannot be submitted yet, and when there are none any more. */
    hold?(isHolding: boolean): void;
    /** Called once, when no chunk will be submitted any more and nobody waits for one. */
    finished?(): void;
}

/**
 * The base of all errors that this package makes itself. No error is of this very class.
 *
 * Catch it to tell the pool's own failures from the errors of tasks: an error that a task throws arrives as an instance
 * of its own class, or as a `RemoteError`. `instanceof` works across several copies of the package in one process.
 */
export declare class MillraceError extends Error {
    /** The error's code, for programs to compare: it is stable between releases, the message is not. */
    readonly code: string;
    /** The `label` of the call that the error is about, if the caller gave one. The message has it, too, in brackets. */
    readonly label?: string;
    /** The index, from 0, of the item of a `map` to which the error belongs; absent elsewhere. */
    readonly index?: number;
    constructor(message: string, details?: ErrorDetails);
    static [Symbol.hasInstance](value: unknown): boolean;
}

/** What the options of a pool lack unless they have `initargs`: the arguments that the `initializer` needs. */
export declare type NeededInitargs<I extends unknown[]> = [] extends I ? unknown : {
    readonly initargs: unknown;
};

/** The details of a `NestingError`. */
declare interface NestingDetails extends ErrorDetails {
    depth: number;
}

/**
 * Pools were made in workers of pools, too many levels deep. Nearly always a task module makes a pool when it is
 * loaded: make the pool inside of a function, or only where `isWorker` is false.
 */
export declare class NestingError extends MillraceError {
    readonly code: string;
    /** The level that the refused pool would have had. */
    readonly depth: number;
    constructor(message: string, details: NestingDetails);
}

/**
 * A fixed number of worker processes, all started at once. A worker that leaves is replaced. After Python's
 * `multiprocessing.Pool`.
 *
 * `I` are the parameters of the `initializer`, by which the compiler checks `initargs`; nothing else has this type.
 *
 * A worker that dies fails only the job that it ran. `close()` and `join()` end a pool and let its jobs finish.
 * `terminate()`, which `await using` calls, ends it at once. Unfinished jobs keep the program alive; an idle pool does
 * not.
 *
 * @example
 * const pool = new Pool(4)
 * const squares = await pool.map((n: number) => n * n, [1, 2, 3])
 * for await (const text of pool.imapUnordered(render, pages)) …
 * pool.close()
 * await pool.join()
 */
export declare class Pool<I extends unknown[] = any> implements AsyncDisposable {
    #private;
    /**
     * Starts all workers, or none.
     *
     * @param processes - The number of workers. Default: the number of processors that this process may use, within the
     * CPU quota of its control group.
     * @throws TypeError or RangeError that names the wrong argument; `WorkerSpawnError` when a worker cannot be started
     * (then none is left running); `SerializationError` when `initargs` cannot travel; `NestingError` in a worker ten
     * levels deep; `UnsupportedPlatformError` where pools cannot run.
     */
    constructor(processes?: number, options?: PoolOptions<I> & NeededInitargs<I>);
    /**
     * Calls `fn(...args)` in a worker.
     *
     * @returns A promise of the value that `fn` returns or resolves to. It also rejects with the errors that
     * {@link applyAsync} throws.
     */
    apply<A extends unknown[], R>(fn: TaskFunction<A, R>, ...[args]: ArgumentsOf<A>): Promise<Awaited<R>>;
    /**
     * Calls `fn(...args)` in a worker.
     *
     * @returns The result of the call. Arguments that cannot travel fail the result.
     * @throws `InvalidStateError` (the pool is closed or terminated), `BrokenProcessPool`, `QueueFullError` (see
     * `maxQueue`), `WorkerSpawnError`; TypeError when `fn` is no task, `args` no array or a callback no function. Then
     * nothing of the call is kept.
     */
    applyAsync<A extends unknown[], R>(fn: TaskFunction<A, R>, ...[args, callbacks]: ArgumentsOf<A, [callbacks?: ResultCallbacks<Awaited<R>>]>): AsyncResult<Awaited<R>>;
    /**
     * Calls `fn` with each item.
     *
     * @param chunksize - The number of items that travel and run together. Default: such that each worker gets four
     * chunks.
     * @returns A promise of the results in the order of the items. It waits for all chunks, then rejects with the first
     * error if there was one. {@link mapAsync} gives all errors, {@link imap} also the results besides them.
     */
    map<T, R>(fn: (item: T) => R, items: Iterable<T>, chunksize?: number): Promise<Awaited<R>[]>;
    /**
     * Calls `fn` with each item as {@link map} does, and returns at once. The iterable is read to its end first.
     *
     * @throws Errors of the iterable, and errors as of {@link applyAsync} except `QueueFullError`: chunks wait for room.
     */
    mapAsync<T, R>(fn: (item: T) => R, items: Iterable<T>, options?: MapAsyncOptions<Awaited<R>[]>): AsyncResult<Awaited<R>[]>;
    /** Does as {@link map} for a function of several arguments: each item is an array of arguments. */
    starmap<A extends unknown[], R>(fn: TaskFunction<A, R>, items: Iterable<Readonly<NoInfer<A>>>, chunksize?: number): Promise<Awaited<R>[]>;
    /** Does as {@link mapAsync} for a function of several arguments: each item is an array of arguments. */
    starmapAsync<A extends unknown[], R>(fn: TaskFunction<A, R>, items: Iterable<Readonly<NoInfer<A>>>, options?: MapAsyncOptions<Awaited<R>[]>): AsyncResult<Awaited<R>[]>;
    /**
     * Calls `fn` with each item, and yields the results in the order of the items, as they come. The input may be
     * asynchronous and endless: it is read `buffersize` items ahead of the consumer. An error of the input is raised
     * behind the results of the items before it.
     *
     * @throws As {@link applyAsync}.
     */
    imap<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options: ImapOptions & {
        settle: true;
    }): ImapIterator<ItemOutcome<T, Awaited<R>>>;
    imap<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: ImapOptions & {
        settle?: false;
    }): ImapIterator<Awaited<R>>;
    imap<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: ImapOptions): ImapIterator<Awaited<R> | ItemOutcome<T, Awaited<R>>>;
    /** Does as {@link imap}, but yields each result as soon as it is there. */
    imapUnordered<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options: ImapOptions & {
        settle: true;
    }): ImapIterator<ItemOutcome<T, Awaited<R>>>;
    imapUnordered<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: ImapOptions & {
        settle?: false;
    }): ImapIterator<Awaited<R>>;
    imapUnordered<T, R>(fn: (item: T) => R, items: Iterable<T> | AsyncIterable<T>, options?: ImapOptions): ImapIterator<Awaited<R> | ItemOutcome<T, Awaited<R>>>;
    /** Takes no more jobs. Unfinished jobs finish, then the workers leave. May be called again. */
    close(): void;
    /**
     * Kills the workers and all processes that they started. Every unfinished job fails with `PoolTerminatedError` before
     * this method returns; an iterator first yields the results that are there. May be called again, and from anywhere.
     *
     * @returns A promise that resolves when the workers are gone.
     */
    terminate(): Promise<void>;
    /**
     * Waits until the workers of a closed or terminated pool are gone. For that, the inputs of iterators are read to
     * their ends, whether their results are taken or not. If there are many results, take them first.
     *
     * @returns A promise that resolves when the workers are gone; it rejects with `InvalidStateError` while the pool
     * runs.
     */
    join(): Promise<void>;
    /** Calls `terminate()`, for `await using`. If unfinished jobs are lost by that, a process warning tells. */
    [Symbol.asyncDispose](): Promise<void>;
    /**
     * Resolves when the queue has room for a call, in the order of the calls of this method; see the option `maxQueue`.
     * The room is kept for the call that follows until the end of the next turn of the event loop.
     */
    ready(): Promise<void>;
    /** Numbers of calls and workers, present and past. A chunk of a map counts as one call. */
    stats(): PoolStats;
    /** Rings, states and process ids as text, for the search why nothing happens. */
    dumpState(): string;
    /** Lets unfinished jobs keep the event loop alive. This is the default. */
    ref(): this;
    /** Lets nothing of this pool keep the event loop alive. */
    unref(): this;
    /** Adds a listener. */
    on<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Adds a listener that is called at most once. */
    once<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Removes a listener. */
    off<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Does as {@link off}, under the name that `events.once()` uses. */
    removeListener<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    get [Symbol.toStringTag](): string;
    /** For example `<Pool state=RUN pool_size=4>`. */
    toString(): string;
    [inspect.custom](): string;
}

/** Options of a {@link Pool}. `I` are the parameters of the `initializer`. */
export declare interface PoolOptions<I extends unknown[] = any> extends Omit<ProcessPoolOptions<I>, 'maxWorkers' | 'maxTasksPerChild' | 'onWorkerDeath' | 'idleTimeout'> {
    /** The number of calls after which a worker is replaced. A chunk of a map is one call. Default: no limit. */
    maxtasksperchild?: number;
}

/** Numbers about a pool, present and past; see {@link ProcessPoolExecutor.stats}. */
export declare interface PoolStats {
    /** Calls that no worker has claimed, wherever they wait: also those in a pause before their next attempt. */
    queued: number;
    /**
     * Calls that a worker has claimed and whose futures are not done. The futures of all calls so far are `queued +
     * running + completed + failed + cancelled`.
     */
    running: number;
    /** Workers without a call. */
    idle: number;
    /** Futures that ended with a value. */
    completed: number;
    /** Futures that ended with an error, whatever the reason. */
    failed: number;
    /** Futures that were cancelled. */
    cancelled: number;
    /** Items of maps that ended with a value, or with an error. The chunks in which they travel count as calls above. */
    items: {
        completed: number;
        failed: number;
    };
    /** Workers that were started in place of others. */
    restarts: number;
    workers: WorkerStats[];
}

/** `Pool.terminate()` ended the pool before this result was there. To let work finish, use `close()` and `join()`. */
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
    /** A worker was started in place of one that had left. */
    workerReplace: [info: {
        oldPid: number;
        newPid: number;
        reason: WorkerExitReason;
    }];
    /** The executor broke. Emitted at most once. */
    broken: [error: BrokenProcessPool];
    /** The queue has room again, after it was full. */
    drain: [];
    /** An error that the executor survives. Without a listener it is a process warning. */
    warning: [error: Error];
}

/**
 * Runs functions in worker processes.
 *
 * `I` are the parameters of the `initializer`, by which the compiler checks `initargs`; nothing else has this type.
 *
 * Workers are started when calls need them, and are used again. Unfinished calls keep the program alive; an idle
 * executor does not.
 *
 * @example
 * await using pool = new ProcessPoolExecutor({ maxWorkers: 4 })
 * const sum = await pool.submit((a: number, b: number) => a + b, 1, 2)
 */
export declare class ProcessPoolExecutor<I extends unknown[] = any> extends Executor {
    #private;
    /**
     * @throws TypeError or RangeError that names the wrong option; `SerializationError` when `initargs` cannot travel;
     * `NestingError` in a worker ten levels deep; `WorkerSpawnError` when the system has no descriptors or memory for a
     * pool; `UnsupportedPlatformError` where pools cannot run.
     */
    constructor(options?: ProcessPoolOptions<I> & NeededInitargs<I>);
    /**
     * Calls `fn(...args)` in a worker process.
     *
     * @returns A future of the value that `fn` returns or resolves to. Arguments that cannot travel fail the future.
     * @throws `ShutdownError`, `BrokenProcessPool`, `QueueFullError`, `WorkerSpawnError` (no worker could be started) or
     * `TypeError` (`fn` cannot be a task). Then nothing of the call is kept.
     */
    submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Future<Awaited<R>>;
    /**
     * Calls `fn(...args)` in a worker process as {@link submit} does, with options for this call. Arguments may be left
     * out where the function needs none.
     *
     * @throws As `submit`; TypeError or RangeError that names a wrong option.
     */
    run<A extends unknown[], R>(fn: TaskFunction<A, R>, args: readonly [...A], options?: RunOptions): Future<Awaited<R>>;
    run<R>(fn: TaskFunction<[], R>, args?: undefined, options?: RunOptions): Future<Awaited<R>>;
    /**
     * Takes no more calls. Accepted calls finish, then the workers leave. May be called again, and from anywhere.
     *
     * @returns A promise that resolves when all workers are gone; with `wait: false` at once.
     */
    shutdown(options?: ShutdownOptions): Promise<void>;
    /**
     * Stops everything by SIGTERM, and after 5 s by SIGKILL. Running calls fail with `WorkerTerminatedError`, waiting
     * calls are cancelled.
     */
    terminateWorkers(): Promise<void>;
    /** Stops everything by SIGKILL. Running calls fail with `WorkerTerminatedError`, waiting calls are cancelled. */
    killWorkers(): Promise<void>;
    /**
     * Resolves when the queue has room for a call, in the order of the calls of this method; see the option `maxQueue`.
     * The room is kept for the call that follows until the end of the next turn of the event loop.
     *
     * Rejects with the reason of `options.signal` when that is aborted; those who wait behind are then next.
     */
    ready(options?: ReadyOptions): Promise<void>;
    /** Numbers of calls and workers, present and past. */
    stats(): PoolStats;
    /** Rings, states and process ids as text, for the search why nothing happens. */
    dumpState(): string;
    /** Lets unfinished calls keep the event loop alive. This is the default. */
    ref(): this;
    /** Lets nothing of this executor keep the event loop alive. */
    unref(): this;
    /** Adds a listener. */
    on<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Adds a listener that is called at most once. */
    once<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Removes a listener. */
    off<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Does as {@link off}, under the name that `events.once()` uses. */
    removeListener<K extends keyof ProcessPoolEvents>(event: K, listener: (...args: ProcessPoolEvents[K]) => void): this;
    /** Makes each chunk of items a single call. */
    protected mapSource<R>(fn: TaskFunction, call: MapCall): MapSource<unknown, R>;
}

/** Options of a {@link ProcessPoolExecutor}. `I` are the parameters of the `initializer`. */
export declare interface ProcessPoolOptions<I extends unknown[] = any> {
    /**
     * The most worker processes. They are started when calls need them.
     * Default: the number of processors that this process may use, within the CPU quota of its control group.
     */
    maxWorkers?: number;
    /**
     * The start method. Default: `'spawn'` with `maxTasksPerChild`, else `getStartMethod()`.
     *
     * With an explicit `'fork'`, the options `maxTasksPerChild`, `idleTimeout`, `maxMemoryPerWorker`, `execArgv`, `env`,
     * `cwd`, `execPath` and `stdio: 'ignore'` are errors. With `'fork'` from `setStartMethod()`, they mean `'spawn'`.
     */
    startMethod?: StartMethod;
    /** A function that is called and awaited once in each worker, before the first call. Its error fails the start. */
    initializer?: TaskFunction<I>;
    /** The arguments of `initializer`. */
    initargs?: NoInfer<readonly [...I]>;
    /** The number of calls after which a worker is replaced. A chunk of `map` is one call. Default: no limit. */
    maxTasksPerChild?: number;
    /**
     * The consequence of a worker's death. `'isolate'`: only the call that the worker ran fails, and the worker is
     * replaced. `'break'`, Python's rule: every unfinished future fails, and the executor takes no more calls. Default:
     * `'isolate'`.
     */
    onWorkerDeath?: 'break' | 'isolate';
    /** Milliseconds without a call after which a worker leaves. Default: `Infinity`. */
    idleTimeout?: number;
    /** Milliseconds that the start of a worker may take, `preload` and `initializer` included. Default: 30,000. */
    startTimeout?: number;
    /** Bytes of resident memory; a worker with more is replaced between calls. Default: `Infinity`. */
    maxMemoryPerWorker?: number;
    /**
     * Bytes of resident memory; a worker that grows beyond them is killed and replaced, in the middle of a call too. That
     * call fails with `TaskMemoryError`, and no other: of a chunk of `map` only the item that ran. Under `'break'` the
     * pool breaks. A worker that is too large when a call would begin is replaced first.
     *
     * What counts is `process.memoryUsage.rss()` of the worker: heap, buffers, native memory, and pages that the worker
     * shares with other processes. Processes that a task starts do not count. The memory is looked at each 50 ms while
     * calls run, so a worker may exceed the limit by what it grows in that time.
     *
     * Workers also get a `--max-old-space-size` that fits the limit, unless `execArgv` or NODE_OPTIONS limit V8's heap.
     * So V8 collects garbage before the limit is reached, and ends a worker whose heap is full. Workers of the start
     * method `'fork'` keep the heap limit of this process, and are not replaced. Default: `Infinity`.
     */
    hardMemoryLimit?: number;
    /**
     * The most calls that wait, besides those for which a worker is idle or can still be started: the pool takes
     * `maxWorkers + maxQueue` unfinished calls, and `submit()` throws `QueueFullError` beyond that. With 0 no call waits
     * for another one. Default: `Infinity`.
     */
    maxQueue?: number;
    /**
     * Node's own options for the workers. Default: those of this process, without options for debugging and profiling.
     */
    execArgv?: readonly string[];
    /** The complete environment of the workers. Default: that of this process. */
    env?: Readonly<Record<string, string | undefined>>;
    /** The working directory of the workers. Default: that of this process. */
    cwd?: string;
    /**
     * The Node executable of the workers: a path, or a name to be found in `PATH`. Default: that of this process. Needed
     * where `process.execPath` is no plain Node: in a single executable application, or in Electron.
     */
    execPath?: string;
    /** The standard output and error of the workers: those of this process, or none. Default: `'inherit'`. */
    stdio?: 'inherit' | 'ignore';
    /** Modules that each worker loads before the first call. Specifiers resolve from the current working directory. */
    preload?: readonly (string | URL)[];
    /** A name for the pool in messages, and for its workers in process listings. Default: none. */
    name?: string;
}

/** The details of a `QueueFullError`. */
declare interface QueueFullDetails extends ErrorDetails {
    maxQueue: number;
}

/**
 * Every worker has a call and `maxQueue` calls wait already, or others wait for room: the executor refused this call.
 * Await `ready()`, then submit again.
 */
export declare class QueueFullError extends MillraceError {
    readonly code: string;
    readonly maxQueue: number;
    constructor(message: string, details: QueueFullDetails);
}

/** Options of `ready()`. */
export declare interface ReadyOptions {
    /** A signal that ends the wait: it rejects with the signal's reason, also if the signal is aborted already. */
    signal?: AbortSignal;
}

/**
 * Stands for an error of a class that this process does not know. `name`, `message`, `code`, `cause` and own fields are
 * those of the original error: compare `name` or `code` instead of using `instanceof`.
 */
export declare class RemoteError extends MillraceError {
    /** The original error's own `code`, of whatever type; `ERR_MILLRACE_REMOTE` where the original had none. */
    readonly code: string;
    readonly remote: RemoteOrigin;
    constructor(message: string, details: RemoteErrorDetails);
}

/** The details of a `RemoteError`. */
declare interface RemoteErrorDetails extends ErrorDetails {
    remote: RemoteOrigin;
    /** The original error's own `code`, of whatever type. */
    code?: unknown;
}

/** The facts about an error in the process that threw it. */
export declare interface RemoteOrigin {
    name: string;
    stack: string;
    pid: number;
}

declare type Result<R> = IteratorResult<R, undefined>;

/**
 * Functions that a job of a {@link Pool} calls when it is over, in the async context in which the job was begun.
 */
export declare interface ResultCallbacks<T> {
    /**
     * Called with the value of a successful job, before the result is ready. A job without work calls it before the
     * method returns. An error of the callback becomes the outcome of the job.
     */
    callback?: (value: T) => unknown;
    /**
     * Called with the error of a failed job, before the result is ready. An error of the callback becomes the error of
     * the job, with the job's own error at the end of its chain of causes.
     */
    errorCallback?: (error: any) => unknown;
}

/** The option `retries` in full: how often, after which pauses and after which failures a call is repeated. */
export declare interface RetryOptions {
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

/** A checked option `retries`. */
declare class RetryPolicy {
    /** How often the call is repeated at most; at least 1. */
    readonly limit: number;
    /** Whether the native pool can do the same by itself: deaths and time-outs, no pauses. */
    readonly isPlain: boolean;
    private readonly delay;
    private readonly factor;
    private readonly jitter;
    private readonly maxDelay;
    private readonly when;
    private constructor();
    /**
     * The policy of an option `retries`; undefined if no attempt is ever followed by another.
     *
     * @throws TypeError or RangeError that names the option.
     */
    static of(retries: number | RetryOptions | undefined): RetryPolicy | undefined;
    /**
     * What follows the attempt number `attempt` (from 1), which failed with `error`: the pause before the next attempt in
     * milliseconds, or undefined if there is none.
     *
     * @throws What `when` throws; `error` is its cause, if it is an object that has none.
     */
    pause(error: unknown, attempt: number): number | undefined;
    private repeats;
}

/** The conditions under which {@link wait} returns. */
declare type ReturnWhen = (typeof CONDITIONS)[number];

/**
 * Runs the finalizers of this thread that have an exit priority of at least `minPriority`. Finalizers that are
 * registered meanwhile wait for another pass.
 *
 * Without `minPriority` all finalizers with an exit priority run, also those that are registered meanwhile, until none
 * is left. Then those without an exit priority are cancelled, as at the exit. Finalizers that register others for ever
 * are stopped, with a warning.
 *
 * Pools are finalizers of priority 15: their running calls fail as terminated, their waiting calls are cancelled, and
 * they take no more calls. A minimum of 16 leaves pools alone.
 *
 * Callbacks may register, cancel and run finalizers, and do anything else.
 *
 * @throws TypeError or RangeError that names `minPriority`.
 */
export declare function runFinalizers(minPriority?: number): void;

/**
 * Runs finalizers as {@link runFinalizers} does, but waits for the promise of each callback before it calls the next:
 * for clean-up that cannot be synchronous, at the end of a program that ends by itself. The promise never rejects for
 * an error of a callback.
 *
 * @throws TypeError or RangeError that names `minPriority`.
 */
export declare function runFinalizersAsync(minPriority?: number): Promise<void>;

/** Options of {@link ProcessPoolExecutor.run}. */
export declare interface RunOptions {
    /** A signal whose abort cancels the call. If the call is running, its worker is stopped. */
    signal?: AbortSignal;
    /** Milliseconds that the call may run, counted from its claim by a worker. Default: no limit. */
    timeout?: number;
    /** Milliseconds between the abort of `taskContext().signal` and SIGTERM when the call is stopped. Default: 0. */
    grace?: number;
    /**
     * How often the call is repeated after its worker has died or its `timeout` has passed, or {@link RetryOptions} with
     * pauses and with other reasons. Default: 0.
     *
     * - Deaths count only with `onWorkerDeath: 'isolate'`; with `'break'` a death breaks the executor.
     * - `timeout` holds for each attempt. An attempt is over before the next one starts, behind all waiting calls.
     * - The call fails with the error of its last attempt.
     * - An error that the task throws and `process.exit()` in the task are no reasons to repeat the call, except where
     *   `when` says so.
     * - The arguments are those of the call. They are kept in memory, encoded, until the call is over.
     * - During a pause the future is pending and can be cancelled. `shutdown()` waits for all attempts.
     */
    retries?: number | RetryOptions;
    /** A name for the call in errors, besides the name of its task. */
    label?: string;
    /**
     * ArrayBuffers that the call takes along, as with `postMessage`: they are detached as soon as the call is accepted. A
     * {@link SharedBuffer} moves without a copy, unless the call has `retries`.
     */
    transfer?: readonly ArrayBuffer[];
}

/** The details of a `SerializationError`. */
declare interface SerializationDetails extends ErrorDetails {
    stage: 'arguments' | 'result';
    path?: string;
}

/**
 * The arguments or the result of a call cannot be encoded or decoded: for instance a function, a symbol, a promise, or
 * an object with a getter that throws. Only this call fails. `path` leads to the value: send one that can be cloned.
 */
export declare class SerializationError extends MillraceError {
    readonly code: string;
    readonly stage: 'arguments' | 'result';
    /** The path to the value, for example `args[0].rows[3].fn` or `result.x`; undefined when decoding failed. */
    readonly path: string | undefined;
    constructor(message: string, details: SerializationDetails);
}

/**
 * Sets the start method of this thread's later pools. To be called once, best at the start of the main program.
 * Existing executors and pools, and workers themselves, keep their methods.
 *
 * @throws `InvalidStateError` when a method was set before, without `force`; `ForkUnsafeError` for `'fork'` in a
 * process that cannot be forked; TypeError for a value that is no start method, or not available.
 */
export declare function setStartMethod(method: StartMethod, options?: SetStartMethodOptions): void;

/** Options of {@link setStartMethod}. */
export declare interface SetStartMethodOptions {
    /** Whether a method that was set before may be changed. Default: false. */
    force?: boolean;
}

/**
 * An ArrayBuffer in the memory that host and worker share. It moves between the two without a copy.
 *
 * | step | in code |
 * |---|---|
 * | the host allocates a buffer and fills it | `const buffer = SharedBuffer.allocate(bytes, pool)` |
 * | the buffer moves to a worker | `pool.run(fn, [new Float64Array(buffer)], { transfer: [buffer] })` |
 * | the task changes the content; the buffer, or a view of all of it, moves back | `return array` |
 *
 * A task allocates a buffer by `SharedBuffer.allocate(bytes)`. After a move the sender's buffer is detached, as after a
 * transfer by `postMessage`: its views are empty, and new views throw a `TypeError`. An argument that is not in
 * `transfer` is cloned, like any ArrayBuffer.
 *
 * Each buffer lies in the memory of one worker: at most 256 buffers a worker, with at most 8 GiB in all. A move
 * copies the buffer once, and nothing else differs, when:
 *
 * - there was no room for another buffer, or the buffer has less than 500 bytes;
 * - its call cannot go to that worker, which is busy or gone;
 * - the call has `retries`;
 * - the buffer lies in an object, or the call sends a view of only a part of it.
 *
 * The memory is free again when the buffer is garbage in the process that has it. A buffer in the host stays readable
 * when its worker has ended.
 */
export declare class SharedBuffer extends ArrayBuffer {
    /**
     * Allocates a buffer of `bytes` zero bytes.
     *
     * @param bytes - The size, a whole number of at least 0.
     * @param executor - The executor whose worker will get the buffer. A task leaves it out: its buffer is for its
     * result.
     * @throws RangeError or TypeError that names the argument; RangeError when there is no memory; `ShutdownError`,
     * `BrokenProcessPool` and `WorkerSpawnError` as `submit()` throws them.
     */
    static allocate(bytes: number, executor?: SharedMemoryOwner): SharedBuffer;
    /** Whether the buffer has moved away: it is detached, and has no content here. */
    get moved(): boolean;
}

/** An owner of memory that workers share, who sends buffers in it along with calls: a {@link ProcessPoolExecutor}. */
declare interface SharedMemoryOwner {
    /** Calls a function in a worker. The buffers in `transfer` move to this worker. */
    run(fn: never, args: never, options?: {
        transfer?: readonly ArrayBuffer[];
    }): unknown;
}

/** The executor is shut down and takes no further calls. Earlier futures still settle. Make a new executor. */
export declare class ShutdownError extends MillraceError {
    readonly code: string;
}

/** Options of {@link ProcessPoolExecutor.shutdown}. */
export declare interface ShutdownOptions {
    /** Whether the promise resolves only when all workers are gone. Default: true. */
    wait?: boolean;
    /** Cancel all calls that no worker has claimed, before `shutdown()` returns. Default: false. */
    cancelFutures?: boolean;
    /**
     * Milliseconds, after which the promise rejects with a `TimeoutError` while accepted calls go on. Together with
     * `kill` the workers are killed then, and the promise resolves. Default: no limit.
     */
    timeout?: number;
    /** Kill the workers and all processes that they started: at once, or when `timeout` has passed. Default: false. */
    kill?: boolean;
}

/** The result of {@link getContext}: classes whose workers are started by one method. */
export declare interface StartContext {
    readonly ProcessPoolExecutor: typeof ProcessPoolExecutor;
    readonly Pool: typeof Pool;
}

/**
 * The start method of workers.
 *
 * - `'spawn'`: each worker is a fresh Node process.
 * - `'forkserver'`, on Linux: a helper process loads the modules of `preload` and forks the workers, which share its
 *   memory until they write to it. The modules must not leave timers, threads, or open files and sockets.
 * - `'fork'`, on Linux: this process forks all its workers at once, in a turn of the event loop after the first call. A
 *   worker that leaves is not replaced. Listeners of `process`, finalizers and pools stay behind in the program. A
 *   reference to `Math.random` that a module has kept yields the same numbers in all workers. In a process that cannot
 *   be forked, as an ordinary one never can, this method is refused with the reasons; see `forkSafety()`.
 */
export declare type StartMethod = 'spawn' | 'forkserver' | 'fork';

/** What {@link taskContext} tells a task about itself. */
export declare interface TaskContext {
    /** The number of the call, unique in its pool. All items of a chunk have the number of their chunk. */
    readonly taskId: number;
    /** The number of the worker, unique in its pool. */
    readonly workerId: number;
    /** The `label` that the caller gave to the call, or to the map of this item; undefined if there is none. */
    readonly label: string | undefined;
    /**
     * Which attempt of the call this is, from 1: more than 1 only where the caller asked for `retries`. In a map the
     * attempts of the item count. The number does not grow beyond 512.
     */
    readonly attempt: number;
    /**
     * Aborts when the host stops this call: by `cancel({ kill: true })`, an aborted signal or an expired timeout.
     *
     * `aborted` and `throwIfAborted()` look at shared memory, so that a task sees the stop without a turn of the event
     * loop. Listeners are called by the first such look, or else in a turn of the event loop.
     */
    readonly signal: AbortSignal;
    /**
     * Throws the reason of `signal` if the host stops this call. For a task that computes: no turn of the event loop is
     * needed.
     *
     * @throws DOMException with the name `AbortError`.
     */
    throwIfStopped(): void;
}

/** The task to which the calling code belongs; undefined outside of a task, and once the task's outcome is decided. */
export declare function taskContext(): TaskContext | undefined;

/** The details of a `TaskExitError`. */
declare interface TaskExitDetails extends ErrorDetails {
    exitCode: number;
}

/**
 * The task called `process.exit()`. Only this call fails, and the worker is replaced. A task should throw or return.
 */
export declare class TaskExitError extends MillraceError {
    readonly code: string;
    readonly exitCode: number;
    constructor(message: string, details: TaskExitDetails);
}

/** Any function that can be a task. */
export declare type TaskFunction<A extends unknown[] = never[], R = unknown> = (...args: A) => R;

/**
 * The worker could not load the task's module, or the module has no such export. `cause` is the loader's error. Every
 * call of the task fails at once until the module is repaired; the pool need not be replaced for that.
 */
export declare class TaskLoadError extends MillraceError {
    readonly code: string;
}

/** The details of a `TaskMemoryError`. */
declare interface TaskMemoryDetails extends WorkerDiedDetails {
    limit: number;
    rss?: number | undefined;
}

/**
 * The worker that ran this call grew beyond the option `hardMemoryLimit`, and was ended in the middle of the call. The
 * call may have run in part. Pass less data a call, let go of data that a call does not need any more, or raise the
 * limit.
 */
export declare class TaskMemoryError extends WorkerDiedError {
    readonly code: string;
    /** The limit in bytes. */
    readonly limit: number;
    /**
     * The resident bytes of the worker that were seen last. Undefined where V8 ended the worker, whose heap was full.
     */
    readonly rss: number | undefined;
    constructor(message: string, details: TaskMemoryDetails);
}

/** The details of a `TaskTimeoutError`. */
declare interface TaskTimeoutDetails extends ErrorDetails {
    timeout: number;
    pid: number;
}

/**
 * A call ran longer than its own `timeout` and was stopped together with its worker, which is replaced. The time counts
 * from the moment when a worker claims the call. Allow the call more time, or let the task listen to
 * `taskContext().signal` and give it a `grace` to clean up.
 */
export declare class TaskTimeoutError extends TimeoutError {
    readonly code: string;
    /** The time that the call was allowed, in milliseconds. */
    readonly timeout: number;
    /** The process id of the stopped worker. */
    readonly pid: number;
    constructor(message: string, details: TaskTimeoutDetails);
}

/**
 * The time of a wait is over: of `result({ timeout })`, `exception`, `resultSync`, `asCompleted`, `map` or `shutdown`.
 * Only the wait has ended. The call goes on, and the program may wait again. To stop the call itself, use
 * `run({ timeout })` or `cancel({ kill: true })`.
 */
export declare class TimeoutError extends MillraceError {
    readonly code: string;
}

/** Options of every operation that waits for a time. */
export declare interface TimeoutOptions {
    /** Milliseconds; with 0 or less, only the present state counts. Limits the wait, not the call. Default: no limit. */
    timeout?: number;
}

/** The details of an `UnsupportedPlatformError`. */
declare interface UnsupportedPlatformDetails extends ErrorDetails {
    missing: readonly string[];
}

/**
 * Pools cannot run here: the system lacks a feature that has no fallback, or the executable of this process would run
 * the program again as a worker. `missing` names what is missing. That no binary is loaded is a `BindingError`.
 */
export declare class UnsupportedPlatformError extends MillraceError {
    readonly code: string;
    readonly missing: readonly string[];
    constructor(message: string, details: UnsupportedPlatformDetails);
}

/**
 * Waits for several futures, of any executors. A future that is given twice counts once. A cancelled future is done.
 *
 * When the timeout expires, the promise resolves all the same, with the futures that are done by then in `done`. It
 * rejects only for wrong arguments, and with the reason of `options.signal` when the signal is aborted.
 */
export declare function wait<F extends Future<unknown>>(futures: Iterable<F>, options?: WaitForOptions): Promise<WaitResult<F>>;

/** Options of {@link wait}. */
export declare interface WaitForOptions extends WaitOptions {
    /**
     * `'ALL_COMPLETED'`: all futures are done. `'FIRST_COMPLETED'`: at least one future is done. `'FIRST_EXCEPTION'`: one
     * future has failed, or all are done; a cancelled future has not failed. Default: `'ALL_COMPLETED'`.
     */
    returnWhen?: ReturnWhen;
}

/** Options of every operation that waits. */
export declare interface WaitOptions extends TimeoutOptions {
    /**
     * A signal that ends the wait, not the call: the wait rejects with the signal's reason, as `fetch` does. With a
     * signal that is aborted already a wait rejects in any case.
     */
    signal?: AbortSignal;
}

/** The result of {@link wait}: each given future is in exactly one of the two sets. */
export declare interface WaitResult<F> {
    done: Set<F>;
    notDone: Set<F>;
}

/** The end of one worker process. `exitCode` and `signal` are both null when another party reaped the process. */
export declare interface WorkerDeath {
    pid: number;
    exitCode: number | null;
    signal: NodeJS.Signals | null;
    /** The call that the worker was running; absent when the worker was idle. */
    task?: WorkerDeathTask;
}

/** The call that a worker was running at its death. */
export declare interface WorkerDeathTask {
    taskId: number;
    /** The name of the task's function, if it has a name. */
    name: string;
    /** The `label` that the caller gave to `run()`. */
    label?: string;
}

/**
 * The details of a `WorkerDiedError`. `task` becomes part of the only entry of `workers`, unless `workers` is given.
 */
declare interface WorkerDiedDetails extends WorkerDeath, BrokenProcessPoolDetails {
    hint?: string;
}

/**
 * The worker that ran this call died, under `onWorkerDeath: 'isolate'`. This call fails, the worker is replaced, and
 * the pool goes on. The call may have run in part: repeat it only if that does no harm. `run({ retries })` repeats it
 * for you.
 */
export declare class WorkerDiedError extends BrokenProcessPool {
    readonly code: string;
    readonly pid: number;
    readonly exitCode: number | null;
    readonly signal: NodeJS.Signals | null;
    /** A likely reason for the death, if one is known: for instance that the machine ran out of memory. */
    readonly hint?: string;
    constructor(message: string, details: WorkerDiedDetails);
}

/**
 * Why a worker left. `'shutdown'`: the pool closes, or is broken. `'recycled'`: it was used up or too large, a task
 * called `process.exit()`, or a stray error made it retire. `'idle'`: `idleTimeout`. `'killed'`: the pool has ended it,
 * for a time-out, a cancel with `kill`, the end of the pool, or since it did not come to its calls any more. `'died'`:
 * anything else. `'failed-start'`: it ended before it was ready.
 */
export declare type WorkerExitReason = 'shutdown' | 'recycled' | 'idle' | 'killed' | 'died' | 'failed-start';

/**
 * A worker process could not be started, and the call was not accepted. `cause` has the `errno` and the `syscall`.
 * Usual reasons: the process limit (EAGAIN), too many open files (EMFILE), a `cwd` that does not exist (ENOENT).
 */
export declare class WorkerSpawnError extends MillraceError {
    readonly code: string;
}

/** One worker process. */
export declare interface WorkerStats {
    pid: number;
    /** The number of the worker, unique in its pool. */
    workerId: number;
    /** `'leaving'`: it was asked to leave, is being stopped, or has left and is not reaped yet. */
    state: 'starting' | 'idle' | 'busy' | 'leaving';
    /** The call that the worker is running. */
    task?: WorkerDeathTask;
    /** The number of calls that the worker has finished. */
    tasksDone: number;
    /** The time of the worker's start. */
    startedAt: Date;
    /** Resident memory in bytes, where the system tells. */
    rss?: number;
}

/** The details of a `WorkerTerminatedError`. */
declare interface WorkerTerminatedDetails extends ErrorDetails {
    pid: number;
}

/**
 * The call was running when `terminateWorkers()`, `killWorkers()` or `shutdown({ kill: true })` ended its worker. The
 * call may have run in part.
 */
export declare class WorkerTerminatedError extends MillraceError {
    readonly code: string;
    readonly pid: number;
    constructor(message: string, details: WorkerTerminatedDetails);
}

export { }
