// Executors that run everything in this thread, for tests of what all executors share.
import { QueueFullError, ShutdownError } from '../../src/errors.js';
import { Executor } from '../../src/executor.js';
import { Future } from '../../src/future.js';
/** Runs calls one a turn of the event loop, or when a test says so; with a bounded queue if `maxQueue` is given. */
export class LocalExecutor extends Executor {
    waiting = [];
    submitted = 0;
    manual;
    maxQueue;
    roomWaiters = [];
    closed = false;
    scheduled = false;
    constructor({ manual = false, maxQueue = Infinity } = {}) {
        super();
        this.manual = manual;
        this.maxQueue = maxQueue;
    }
    submit(fn, ...args) {
        if (this.closed)
            throw new ShutdownError('cannot schedule new futures after shutdown');
        if (this.waiting.length >= this.maxQueue)
            throw new QueueFullError('full', { maxQueue: this.maxQueue });
        const future = new Future();
        this.waiting.push({ future, run: () => fn(...args) });
        this.submitted++;
        this.schedule();
        return future;
    }
    async ready() {
        while (!this.closed && this.waiting.length >= this.maxQueue) {
            await new Promise((resolve) => this.roomWaiters.push(resolve));
        }
    }
    async shutdown(options = {}) {
        this.closed = true;
        if (options.cancelFutures)
            for (const { future } of this.waiting.splice(0))
                future.cancel();
        while (this.waiting.length > 0)
            await this.step();
    }
    /** Runs the call that came first, unless it was cancelled. */
    async step() {
        const call = this.waiting.shift();
        for (const wake of this.roomWaiters.splice(0))
            wake();
        if (!call?.future.setRunningOrNotifyCancel())
            return;
        try {
            call.future.setResult(await call.run());
        }
        catch (error) {
            call.future.setException(error);
        }
    }
    schedule() {
        if (this.manual || this.scheduled || this.waiting.length === 0)
            return;
        this.scheduled = true;
        setImmediate(() => {
            this.scheduled = false;
            void this.step();
            this.schedule();
        });
    }
}
/** Takes whole chunks, and settles each a turn later, or when a test says so. */
export class LocalChunks {
    chunked = true;
    maxWorkers;
    chunks = [];
    futures = [];
    /** Milliseconds that a chunk of so many items is said to have taken. */
    elapsed = undefined;
    manual = false;
    /** Thrown by the next submissions, one after the other. */
    refusals = [];
    readyCalls = 0;
    task;
    constructor(task, maxWorkers = 2) {
        this.task = task;
        this.maxWorkers = maxWorkers;
    }
    submitChunk(items) {
        if (this.refusals.length > 0)
            throw this.refusals.shift();
        const future = new Future();
        this.chunks.push(items);
        this.futures.push(future);
        if (!this.manual)
            setImmediate(() => this.settle(future, items));
        return future;
    }
    async ready() {
        this.readyCalls++;
    }
    /** Runs a chunk, unless it was cancelled. */
    settle(future, items) {
        if (!future.setRunningOrNotifyCancel())
            return;
        const values = [];
        const errors = new Map();
        for (const [index, item] of items.entries()) {
            try {
                values[index] = this.task(item);
            }
            catch (error) {
                values[index] = undefined;
                errors.set(index, error);
            }
        }
        const elapsed = this.elapsed?.(items.length);
        future.setResult({ values, ...(errors.size > 0 ? { errors } : {}), ...(elapsed === undefined ? {} : { elapsed }) });
    }
    /** Runs the chunk of a number. */
    finish(index) {
        this.settle(this.futures[index], this.chunks[index]);
    }
}
