//! How workers come to be.

mod fork_server;
pub(crate) mod launch;
mod starter;

pub(crate) use fork_server::{ForkError, ForkServer, Readiness};
pub use fork_server::{ForkRequest, ForkService, Trial};
pub(crate) use starter::Starter;
