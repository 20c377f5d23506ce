//! The descriptors on which a side sleeps: its doorbell, and the end of its peer.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use millrace_sys::{Listener, PollerKind, Ringer, WaitSet, WakeupKind, doorbell, lifeline};

const BELL: u64 = 1;
const SENTINEL: u64 = 2;

/// After so long it is sure that nothing will ever happen.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(120);

/// The one who may die: it rings, and its death is seen.
pub(crate) struct Waker {
  pub(crate) ringer: Ringer,
  /// Closes when the last process that has it is gone.
  _lifeline: OwnedFd,
}

/// The one who sleeps until then.
pub(crate) struct Sleeper {
  listener: Listener,
  waits: WaitSet,
  _lifeline: OwnedFd,
}

pub(crate) fn wire(kind: WakeupKind) -> (Waker, Sleeper) {
  let (ringer, listener) = doorbell(kind).unwrap();
  let (end, its_end) = lifeline().unwrap();
  let mut waits = WaitSet::new(PollerKind::Epoll).unwrap();
  waits.add(listener.as_fd(), BELL).unwrap();
  waits.add(end.as_fd(), SENTINEL).unwrap();
  (Waker { ringer, _lifeline: its_end }, Sleeper { listener, waits, _lifeline: end })
}

impl Sleeper {
  /// Sleeps until the peer is gone, which it is. True: the peer has rung before that.
  pub(crate) fn sleep(&mut self) -> Result<bool, String> {
    let mut ready = Vec::new();
    self.waits.wait(Some(WATCHDOG), &mut ready).map_err(|error| error.to_string())?;
    if ready.contains(&SENTINEL) { Ok(self.was_rung()) } else { Err("the end of the peer woke nobody".into()) }
  }

  /// Whether there is a ring to clear. (A pipe is also readable because the one who could ring is gone.)
  fn was_rung(&self) -> bool {
    let mut bell = libc::pollfd { fd: self.listener.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which lives through the call.
    unsafe { libc::poll(&raw mut bell, 1, 0) };
    bell.revents & libc::POLLIN != 0
  }

  /// Sleeps until it is rung, and swallows the rings.
  pub(crate) fn sleep_until_rung(&mut self) {
    let mut ready = Vec::new();
    self.waits.wait(None, &mut ready).unwrap();
    self.listener.clear();
  }
}
