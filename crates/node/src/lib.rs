//! The Node-API binding: conversions between JavaScript and the pool, and the hook into Node's event loop.
//!
//! No policy lives here. Calls on the hot path take and return numbers only; payloads pass through two buffers that
//! JavaScript allocates once and shares with this side (see [`staging`]), since every `Buffer` argument of a call
//! would cost several times the call.

mod callback;
mod cleanup;
mod event;
mod host;
mod options;
mod platform;
mod staging;
mod uv;
mod worker;
