//! Helpers that the tests share.

#![allow(dead_code, reason = "each test binary uses a part of this")]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use millrace_sys::{PollerKind, SegmentKind, SentinelKind, WaitSet, WakeupKind};

pub mod children;

/// Far more than anything here takes: only a hang gets there.
pub const WATCHDOG: Duration = Duration::from_secs(60);

#[cfg(target_os = "linux")]
pub const SEGMENTS: &[SegmentKind] = &[SegmentKind::Memfd, SegmentKind::Shm];
#[cfg(not(target_os = "linux"))]
pub const SEGMENTS: &[SegmentKind] = &[SegmentKind::Shm];

#[cfg(target_os = "linux")]
pub const WAKEUPS: &[WakeupKind] = &[WakeupKind::EventFd, WakeupKind::Pipe];
#[cfg(not(target_os = "linux"))]
pub const WAKEUPS: &[WakeupKind] = &[WakeupKind::Pipe];

#[cfg(target_os = "linux")]
pub const POLLERS: &[PollerKind] = &[PollerKind::Epoll, PollerKind::Poll];
#[cfg(not(target_os = "linux"))]
pub const POLLERS: &[PollerKind] = &[PollerKind::Poll];

#[cfg(target_os = "linux")]
pub const SENTINELS: &[SentinelKind] = &[SentinelKind::PidFd, SentinelKind::WaitPid];
#[cfg(not(target_os = "linux"))]
pub const SENTINELS: &[SentinelKind] = &[SentinelKind::WaitPid];

/// Is `fd` readable or hung up within `timeout`?
pub fn is_ready_within(fd: impl AsFd, timeout: Duration) -> bool {
  let mut set = WaitSet::new(PollerKind::Poll).unwrap();
  let fd: BorrowedFd<'_> = fd.as_fd();
  set.add(fd, 7).unwrap();
  let mut ready = Vec::new();
  set.wait(Some(timeout), &mut ready).unwrap();
  ready == [7]
}

/// Is `fd` readable or hung up now?
pub fn is_ready(fd: impl AsFd) -> bool {
  is_ready_within(fd, Duration::ZERO)
}

/// Waits for `condition` to hold.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
  let start = Instant::now();
  while !condition() {
    assert!(start.elapsed() < WATCHDOG, "{what}: not within {WATCHDOG:?}");
    std::thread::sleep(Duration::from_millis(1));
  }
}
