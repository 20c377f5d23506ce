//! The calls that a pool owes an answer, as data: table, pending queue, payloads, attempts left; and the definitions
//! that workers need for them.

mod definitions;
mod payload;
mod pending;
mod retries;
mod table;

pub(crate) use definitions::{BootCall, Definitions, TaskDefinition};
pub(crate) use payload::Payload;
pub(crate) use pending::PendingQueue;
pub(crate) use retries::Retries;
pub use retries::earlier;
pub use table::Limits;
pub(crate) use table::{Call, CallTable, Outcome, Place};
