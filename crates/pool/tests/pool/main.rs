//! The manager with real worker processes: this test binary starts itself as the worker.
//!
//! A worker is this binary, asked to run [`worker_entry`] only, with the lane's argument behind that. What it does with
//! a call is written in the call, see `support/worker.rs`.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod calls;
mod cancels;
mod chaos;
mod deaths;
mod doorbells;
mod full;
mod leaks;
mod loans;
mod memory;
mod portable;
mod queue;
mod rebalance;
mod recycling;
mod relief;
mod retries;
mod scribbles;
mod shutdown;
mod signals;
mod silence;
mod spin;
mod starts;
mod stops;
mod support;
mod timeouts;

/// Not a test of its own: what this binary does when a pool starts it.
#[test]
fn worker_entry() {
  let argument = std::env::args().next_back().and_then(|last| last.parse().ok());
  if let Some(argument) = argument {
    support::worker::serve(argument);
  }
}
