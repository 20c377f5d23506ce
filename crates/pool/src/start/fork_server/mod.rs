//! The fork server: a process that has loaded what workers need, and forks one whenever its host asks for it.
//!
//! ```text
//! pool                                   server                          worker
//!   ── start, connect ──────────────────►  loads the preload modules
//!   ◄─ loading (module) …, ready | refused (reasons)
//!   ── fork (argument, 4 descriptors) ──►  fork ──────────────────────►  takes the descriptors over
//!   ◄─ forked (pid, pidfd) | failed ─────
//!   ── reap (pid) ──────────────────────►  collects what it left
//! ```
//!
//! Pools with equal options share a server; each has a connection of its own.
//!
//! The server is killed with its host by the kernel. Its own death takes nothing along: workers have a lifeline of their own
//! to the host.

mod client;
mod process;
mod protocol;
mod service;

pub(crate) use client::{ForkError, ForkServer, Readiness};
pub use service::{ForkRequest, ForkService, Trial};
