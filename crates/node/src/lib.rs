//! The Node-API binding: conversions between JavaScript and the pool, and the hook into Node's event loop.
//!
//! A function that runs once a call takes no arguments and returns a number (see [`bare`]). Numbers and payloads pass
//! through buffers that JavaScript allocates once and shares with this side (see [`staging`]), since every `Buffer`
//! argument would cost several times the call. The numbers that both sides use are in [`wire`].
//!
//! Which call goes where, and what a death means, is decided in the pool. Decided here is what an event loop has to do
//! with a pool: when the pool holds the loop and how long it keeps the loop from sleeping (`host/event_loop.rs`), when
//! another thread stands in for a loop that does not turn (`host/relief.rs`), and how much one drain returns
//! (`host/call_path.rs`).

mod bare;
mod callback;
mod cleanup;
mod entry;
mod event;
mod external_memory;
mod fork_server;
mod forked;
mod heap_limit;
mod host;
mod lending;
mod options;
mod platform;
mod staging;
mod uv;
mod wire;
mod worker;
