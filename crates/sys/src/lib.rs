//! The operating system, as Millrace needs it: shared segments, doorbells, wait sets, child processes.
//!
//! This crate holds every system call and all `unsafe` that talks to the system; it knows nothing of rings or Node.
//! What it hands out is safe to use:
//!
//! - descriptors are [`OwnedFd`](std::os::fd::OwnedFd) or [`BorrowedFd`](std::os::fd::BorrowedFd) and always
//!   close-on-exec, so a child process gets exactly what [`spawn`] was given;
//! - nothing has a name in the file system, so nothing is left behind by a crash;
//! - every [`Error`] names the system call that failed and carries its errno.
//!
//! Linux offers a better mechanism than POSIX for four things. [`Capabilities`] finds out at run time which there are;
//! the portable one is compiled everywhere and can be forced, so it is tested where it is not needed.
//!
//! | for | Linux | fallback | forced by |
//! |---|---|---|---|
//! | [`Segment`] | `memfd_create`, sealed | `shm_open`, unlinked at once | `MILLRACE_SEGMENT=shm` |
//! | [`doorbell()`] | `eventfd` | non-blocking pipe | `MILLRACE_WAKEUP=pipe` |
//! | [`WaitSet`] | `epoll` | `poll` | `MILLRACE_POLLER=poll` |
//! | [`Child`] | pidfd, `waitid` | `waitpid` of that pid | `MILLRACE_SENTINEL=waitpid` |

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
compile_error!("millrace-sys supports Linux and macOS");

mod activity;
mod capabilities;
#[cfg(any(target_os = "linux", test))]
mod cgroup;
mod clock;
mod cpu;
mod credentials;
mod doorbell;
mod error;
mod fd;
mod fork;
mod heap;
mod lifeline;
mod memory;
mod oom;
mod packets;
mod process;
mod segment;
mod signals;
mod symbol;
mod wait_set;
mod watchdog;

pub use activity::{Activity, activity};
pub use capabilities::{Capabilities, PollerKind, SegmentKind, SentinelKind, WakeupKind};
pub use clock::monotonic_ns;
pub use cpu::cpu_quota;
pub use credentials::Credentials;
pub use doorbell::{Listener, Ringer, doorbell};
pub use error::{Error, Result};
pub use fd::{adopt_fd, out_of_the_way};
pub use fork::{Forked, fork_with_heap};
pub use heap::{reuse_heap_memory, trim_heap};
pub use lifeline::{hang_up, kill_at_hangup, lifeline};
pub use memory::resident_bytes;
pub use oom::oom_kills;
pub use packets::{Packets, Received, packets};
pub use process::{Child, Exit, SpawnSpec, close_input, exit_now, let_go_of_terminal, pidfd_of, reap, spawn};
pub use segment::{Mapping, Segment};
pub use signals::{SignalsBlocked, heed_announced_signals, ignore_ending_signals, ignore_sigint};
pub use symbol::exported_symbol;
pub use wait_set::{Pollables, WaitSet};
pub use watchdog::{StartedBy, start_watchdog};
