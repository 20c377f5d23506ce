//! How the process of a worker comes to be: spawned, forked by a fork server, or forked by this process.

mod fork_server;
pub(crate) mod launch;
mod starter;

pub(crate) use fork_server::{ForkError, ForkServer, Readiness};
pub use fork_server::{ForkRequest, ForkService, Trial};
pub(crate) use starter::Starter;
