//! The single-step killer: each operation on a lane is stopped for good after each of its instructions, and the side
//! that survives must find a state that the protocol allows.
//!
//! The side that dies (the *victim*) is a forked process that shares the lane's segment with this one. `ptrace` lets it
//! execute a given number of machine instructions, then it gets SIGKILL; then this process, which has the other half of
//! the lane, looks at what is left: see [`survivor`]. That is repeated for every number of instructions from none to
//! all.
//!
//! What is found must be one of the operation's *stages* (say: queued, claimed, committed), in that order as the number
//! of instructions grows, and each of them at least once. A stage that never shows is as much an error as one that
//! comes back.
//!
//! This shows that every *order of stores that the compiler made* is a safe one to die in. It says nothing about the
//! order in which other processors see those stores: a stopped process has none in flight. The model checker in
//! `millrace-ring` does.
//!
//! A system call counts as one instruction. Debug and release builds execute different instructions; both are worth a
//! run.
//!
//! Where `ptrace` is refused nothing can be shown: then each test says so on the terminal and passes, but fails under
//! `CI=true` unless `MILLRACE_ALLOW_NO_PTRACE=1` is set.

#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod arch;
mod bells;
mod host_dies;
mod lanes;
mod permission;
mod runner;
mod sabotage;
mod survivor;
mod tracee;
mod wakeups;
mod worker_dies;
