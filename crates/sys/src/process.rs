//! Child processes: started without a copy of this one, seen to end without `SIGCHLD`.
//!
//! # Guarantees
//!
//! - [`spawn()`] is `posix_spawn`, which all supported systems implement like `vfork`: a host with gigabytes of heap
//!   pays no more than a small one. No code of ours runs between fork and exec.
//! - In the child exactly 0, 1, 2 and the descriptors of [`SpawnSpec::fds`] are open.
//! - The child leads a process group of its own, with no signal blocked and every signal at its default.
//! - A child is waited for by its pidfd or its pid, never "any child": what else this process starts is not disturbed.
//!   What a child leaves behind is reaped where this process gets orphans: see `process/orphans.rs`.
//!   If someone else is not as careful and reaps our child, its end is still seen, as [`Exit::Unknown`].

mod attributes;
mod child;
#[cfg(target_os = "linux")]
mod close_others;
mod exit;
mod exit_now;
mod file_actions;
#[cfg(target_os = "linux")]
mod grandchild;
mod libc_extras;
mod no_input;
#[cfg(target_os = "linux")]
mod orphans;
#[cfg(target_os = "linux")]
mod pidfd;
mod sentinel;
mod spawn;
mod spec;
mod terminal;
mod wait_pid;

pub use child::Child;
pub use exit::Exit;
pub use exit_now::exit_now;
pub use no_input::close_input;
#[cfg(target_os = "linux")]
pub use pidfd::pidfd_of;
pub use spawn::spawn;
pub use spec::SpawnSpec;
pub use terminal::let_go_of_terminal;
pub use wait_pid::reap;

/// Fails: there are no pidfds.
#[cfg(not(target_os = "linux"))]
pub fn pidfd_of(_pid: u32) -> crate::Result<std::os::fd::OwnedFd> {
  Err(crate::Error::missing("pidfd_open"))
}
