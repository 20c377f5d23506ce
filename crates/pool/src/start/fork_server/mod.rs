//! The fork server: a process that has loaded what workers need, and forks a worker whenever a pool asks for one.
//!
//! ```text
//! pool                                   server                          worker
//!   ── start, connect ──────────────────►  loads the preload modules
//!   ◄─ loading (module) …, ready | refused (reasons)
//!   ── fork (argument, 4 descriptors) ──►  fork ──────────────────────►  takes the descriptors over
//!   ◄─ forked (pid, pidfd) | failed ─────
//!   ── reap (pid) ──────────────────────►  collects the exit status
//! ```
//!
//! - Pools with equal options share a server; each has a connection of its own.
//! - The kernel kills the server with its host. The death of the server takes nothing along: each worker has a lifeline
//!   of its own to the host.
//!
//! `client.rs` and `process.rs` are the host's side, `service.rs` is the server's.

mod client;
mod process;
mod protocol;
mod service;

pub(crate) use client::{ForkError, ForkServer, Readiness};
pub use service::{ForkRequest, ForkService, Trial};
