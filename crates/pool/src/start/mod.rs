//! How workers come to be.

pub(crate) mod launch;
