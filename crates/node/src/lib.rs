//! The Node-API binding: conversions between JavaScript and the pool, and the hook into Node's event loop.
//!
//! No policy lives here. What runs once a call takes no arguments and returns a number (see [`bare`]); numbers and payloads
//! pass through buffers that JavaScript allocates once and shares with this side (see [`staging`]), since every `Buffer`
//! argument of a call would cost several times the call.

mod bare;
mod callback;
mod cleanup;
mod event;
mod fork_server;
mod forked;
mod host;
mod lending;
mod options;
mod platform;
mod staging;
mod uv;
mod wire;
mod worker;
